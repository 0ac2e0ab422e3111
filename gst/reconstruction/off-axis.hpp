// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Scans of a whole turn about an axis far off the middle, whose slices are wider than the detector.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

constexpr double far_off_axis = 0.05; // of the width, from the middle

// Whether slices are made of both half turns together. `axis` is an edge coordinate of the full detector, or
// NaN where it is not known yet. Throws Error where off-axis=on asks for it and the scan is no whole turn.
bool joins_half_turns(const Settings &settings, const Inspection &scan, double axis);

// Columns of the rows that are backprojected, and the axis in them, in pixels after binning.
struct Field {
    unsigned columns;
    double axis;
};
Field field_of_slices(const Settings &settings, const Inspection &scan, double axis);

// The most columns that a slice can have, before the axis is known.
unsigned most_columns(const Settings &settings, const Inspection &scan);

// " ! " and the element that joins half turns; empty where none are joined.
std::string join_half_turns_line(const Settings &settings, const Inspection &scan, double axis);

} // namespace tomo::reconstruction
