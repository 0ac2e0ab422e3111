// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// At which angles the rows of a sinogram were taken, and what to say of it.
#pragma once

#include <gst/tomo/geometry/scan.hpp>

#include <string>
#include <vector>

namespace tomo {

struct ViewAngles {
    std::vector<double> angles; // radians, one for each view
    const char *source;         // "property", "scan" or "assumed"
    std::string sentence;       // "91 views from 0 by 2 degrees (from the scan)"
    std::string assumption;     // what was assumed and how to say better; empty where nothing was
    bool is_part;               // of the views that were taken for half a turn
};

// Angles of `number` views. A step from a property, in radians, stands above all; 0: there is none. Then come
// the angles of the scan, and where it has none its projections are taken for half a turn all together: views
// that are a part of them get the angles of that part. Without a scan the views themselves are taken for half
// a turn. Throws Error where the scan has another number of angles.
ViewAngles view_angles(const Scan &scan, std::size_t number, double step);

// As fields of a report of effective values: projections, angle-first, angle-last, angle-step where it is
// even, each with its source, and angle-source.
void report_angles(GstStructure *report, const ViewAngles &views);

} // namespace tomo
