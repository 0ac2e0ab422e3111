// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The facts of a scan event, for elements that change them.
#pragma once

#include <gst/tomo/array.hpp>
#include <gst/tomo/gobject.hpp>

#include <vector>

namespace tomo {

struct GST_TOMO_API Scan {
    std::vector<double> angles; // radians; empty when unknown
    double axis_position;       // edge coordinate of the detector's columns, NaN when unknown
    double pixel_size;          // metres, NaN when unknown

    explicit Scan(GstEvent *event);
    EventRef to_event() const;
};

// The rotation axis in `width` columns, in edge coordinates: what a property says where that is not negative,
// else the scan's where it is known, else the middle. Throws Error on one that is not between the columns'
// edges.
GST_TOMO_API double axis_in(unsigned width, const char *property, double given, double of_scan);

// How an element lays its input's pixels out anew along one axis, in edge coordinates: an edge at e goes to
// (e - offset) * scale.
struct Layout {
    double offset = 0.0;
    double scale = 1.0;
    unsigned size; // of the output
};

// The scan as images of shape `in` show it after such a change of columns and rows. Where rows are views,
// these get the angles at their centres, interpolated; rows outside of the input have none, and then nothing
// is known about any.
GST_TOMO_API EventRef scan_after(const EventRef &event, const ArrayInfo &in, const Layout &columns,
                                 const Layout &rows);

} // namespace tomo
