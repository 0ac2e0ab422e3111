// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The roll of the detector: the angle between its columns and the rotation axis. It is positive where the
// axis lies further to the right in lower rows.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// Whether projections are rotated.
bool corrects_roll(const Settings &settings);

// The angle by which they are rotated in degrees, 0 where none is given.
double roll_degrees(const Settings &settings);

// Where the axis stands in rotated projections. It is a vertical line there, and `axis` is its edge
// coordinate at the middle row of the detector as it is.
double upright_axis(const Settings &settings, const Inspection &scan, double axis);

// Detector rows on either side that take part in a rotated row.
unsigned rows_for_roll(const Settings &settings, const Inspection &scan);

// " ! " and the element that rotates the projections of these rows about the middle of the detector; else
// empty.
std::string roll_line(const Settings &settings, const Inspection &scan, const Rows &rows);

} // namespace tomo::reconstruction
