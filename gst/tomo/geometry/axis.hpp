// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where the rotation axis is.
#pragma once

#include <gst/tomo/geometry/origin.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <optional>
#include <string>

namespace tomo {

struct GST_TOMO_API Axis {
    double position; // edge coordinate of the columns: their middle is at half of their number
    Origin origin;
    unsigned columns;
    const char *property; // by which people give it

    std::string sentence() const; // "axis 131 px (axis-pos)"
    // For people: what was assumed and how to say better; empty where nothing was.
    std::string assumption() const;
    // Throws Error on an axis that is more than `margin` columns outside of them.
    void check(double margin = 0.0) const;
    // The column that it is in; that of an axis on the right edge is the last one.
    unsigned column() const;
};

// The axis that `given` says, else that of the scan, else the middle of the columns.
GST_TOMO_API Axis resolve_axis(std::optional<double> given, const char *property, const Scan &scan,
                               unsigned columns);

// Columns of an image.
struct Columns {
    unsigned first, count;
};

// Most columns that lie symmetrically around the edge next to the axis. Throws Error where none lie on one
// side of it.
GST_TOMO_API Columns columns_around(const Axis &axis);

} // namespace tomo
