// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// From settings and scan to dataflows, as lines that gst-launch-1.0 runs, also pasted into a shell.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

struct Axis {
    double position = 0.0; // edge coordinate of the full detector
    std::string from;      // "given", "scan", "found" or "assumed"; empty where none is needed
};

// Rows whose images are made by one dataflow.
struct Slab {
    Rows rows;
    unsigned images = 0;
    std::string output; // as tomowrite takes it
    std::string value;  // of the parameter that is swept, as NAME=VALUE; else empty
    std::string line;
};

struct GST_TOMO_API Plan {
    std::vector<Slab> slabs;
    std::string join;   // a line that makes one result of several slabs, else empty
    std::string folder; // of the slabs until then, else empty
    std::string output; // as tomowrite takes it
    ArrayInfo shape;    // of the result
    Axis axis;
    std::uint64_t memory = 0; // bytes that a dataflow holds, about

    // The file, or the name of the first one of a series.
    std::string first_file() const;
    // For people who look for it beside the result: its name with this ending.
    std::string beside(const char *ending) const;
    Json json() const;
};

// Throws Error where settings and scan do not fit, or the result is there already.
GST_TOMO_API Plan make_plan(const Settings &settings, const Inspection &scan, const Axis &axis);

// From the scan to sinograms that are corrected, without a sink; a line goes on with " ! ".
GST_TOMO_API std::string sinogram_line(const Settings &settings, const Inspection &scan, const Rows &rows);

// KEY=VALUE with a blank before it, the same for gst_parse_launch() and for a shell.
GST_TOMO_API std::string launch_property(const std::string &key, const std::string &value);

} // namespace tomo::reconstruction
