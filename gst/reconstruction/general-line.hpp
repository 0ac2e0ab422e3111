// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Launch lines of the general geometry.
#pragma once

#include <gst/reconstruction/general-volume.hpp>

#include <string>

namespace tomo::reconstruction {

// A line from the scan to projections of these rows, corrected and as line integrals, without a sink.
std::string general_source_line(const Settings &settings, const Inspection &scan, const Rows &rows);

// " ! " and the elements from these projections to the slices of this part of the volume.
std::string general_slice_line(const Settings &settings, const GeneralVolume &volume, const Rows &rows,
                               unsigned first, unsigned count);

// The same to one slice at this height for each of these columns of the axis.
std::string axes_line(const Settings &settings, const GeneralVolume &volume, const Rows &rows,
                      const VolumeGrid::Axis &axes, double height);

} // namespace tomo::reconstruction
