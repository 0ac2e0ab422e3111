// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The whole of a reconstruction, before it runs: dataflows for each slab, and where their result goes.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <optional>

namespace tomo::reconstruction {

struct Axis {
    double position = 0.0; // edge coordinate of the full detector
    std::string from;      // "given", "scan", "found" or "assumed"; empty if none is needed or known yet
};

// Rows whose images one dataflow makes.
struct Slab {
    Rows rows;
    unsigned images = 0;
    std::string output; // as tomowrite takes it
    std::string value;  // value of the swept parameter as NAME=VALUE; else empty
    std::string line;
    std::optional<unsigned> turn = {}; // of which it is, where there are several
    // The scan whose rows these are, and the next one where slices of both are joined, of scans at several
    // heights.
    std::vector<std::size_t> scans = {};
    // The line as it is on the usual device, where nothing is resumed. Slabs of one recipe have the same bytes.
    std::string recipe = {};
};

struct Height;

struct GST_TOMO_API Plan {
    std::vector<Slab> slabs;
    std::string join;   // line that joins several slabs to one result, else empty
    std::string folder; // folder of the slabs until then, else empty
    // The slabs of a cluster stay in their files, and the result is a virtual dataset of them.
    bool is_virtual = false;
    unsigned most_images = 0; // of a slab of a cluster; else 0
    std::string output; // as tomowrite takes it; a series of several turns has two numbers
    unsigned turns = 1; // volumes
    // Row of the detector that shows the middle image; not of scans at several heights.
    std::optional<unsigned> middle_row;
    bool guards = true; // whether an earlier result is an obstacle
    bool resumes = false;
    ArrayInfo shape; // of the result
    Axis axis;
    std::uint64_t memory = 0;   // estimated bytes that a dataflow holds
    std::string device_memory;  // as it is given
    std::string device, driver; // their names
    // Of several devices, and the share of the slices that each is expected to make.
    std::vector<std::pair<std::string, double>> shares = {};
    double seconds = 0.0; // estimated; 0 if the device is not known

    // Whether the result goes into memory (gst/files/memory).
    bool is_in_memory() const;
    // Whether the result is one image of a format for pictures.
    bool is_picture() const;
    // The files or series of the result, as tomowrite takes them: several if each turn has a series.
    std::vector<std::string> outputs() const;
    // The output file, or the first file of a series.
    std::string first_file() const;
    // The name of a file beside the result: the name of the result with this ending.
    std::string beside(const char *ending) const;
    // The commands that make the result, for a shell; nothing happens if there is an earlier one in the way.
    std::string script() const;
    Json json() const;
    Json devices_json() const;
};

// Throws Error if settings and scan do not fit together, or if the result exists already. `heights`: the
// scans that `scan` stands for, from the top to the bottom, if it is more than one.
GST_TOMO_API Plan make_plan(const Settings &settings, const Inspection &scan, const Axis &axis,
                            const std::vector<Height> *heights = nullptr);

} // namespace tomo::reconstruction
