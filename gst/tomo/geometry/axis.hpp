// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The position of the rotation axis.
#pragma once

#include <gst/tomo/geometry/origin.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <optional>
#include <string>

namespace tomo {

struct GST_TOMO_API Axis {
    double position; // edge coordinate of the columns: their middle is at columns / 2
    Origin origin;
    unsigned columns;
    const char *property; // name of the property that sets it

    std::string sentence() const; // "axis 131 px (axis-pos)"
    // A sentence for people that names the assumption and the property that replaces it; empty where nothing
    // was assumed.
    std::string assumption() const;
    // Throws Error if the axis lies more than `margin` columns outside of the columns.
    void check(double margin = 0.0) const;
    // The column in which the axis lies; the last one for an axis on the right edge.
    unsigned column() const;
};

// The axis `given`, else the axis of the scan, else the middle of the columns.
GST_TOMO_API Axis resolve_axis(std::optional<double> given, const char *property, const Scan &scan,
                               unsigned columns);

// Columns of an image.
struct Columns {
    unsigned first, count;
};

// The largest range of columns that is symmetric around the edge next to the axis. Throws Error where one
// side of that edge has no column.
GST_TOMO_API Columns columns_around(const Axis &axis);

} // namespace tomo
