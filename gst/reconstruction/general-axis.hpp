// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The axis in the general geometry, where no view mirrors another one: the slices of the right axis are
// sharpest.
#pragma once

#include <gst/reconstruction/axis-finder.hpp>

namespace tomo::reconstruction {

// Whether views half a turn apart are mirror images of each other.
bool mirrors_views(const Settings &settings, const Inspection &scan);

// By rays that are measured from both sides, in the row that the beam across the axis meets. Throws
// AxisNotFound where it tells nothing.
AxisEstimate find_axis_by_rays(const Settings &settings, const Inspection &scan, double from, double to,
                               const AxisFinder::RunLine &run_line);
// Whether the beam has such a row: a fan or a cone about an axis across it.
bool has_mirrored_rays(const Settings &settings, const Inspection &scan);

// Between columns from and to of the full detector, by slices in the middle row, which a cone beam sees best.
// Throws AxisNotFound where the least value lies at an end.
AxisEstimate find_axis_by_slices(const Settings &settings, const Inspection &scan, double from, double to,
                                 const AxisFinder::RunLine &run_line);

} // namespace tomo::reconstruction
