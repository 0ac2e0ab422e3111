// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The distortion of images by a lens, about a centre.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

bool corrects_distortion(const Settings &settings);
// Whether the parameter names a file, which tells the centre as well.
bool names_distortion_file(const Settings &settings);

// Detector rows beyond these, on either side, that straight images of these rows take part in.
struct DistortionMargin {
    unsigned above = 0, below = 0;
};
// Throws Error where the parameters give no distortion that can be.
DistortionMargin distortion_margin(const Settings &settings, const Inspection &scan, unsigned first,
                                   unsigned count);

// " ! " and the element that straightens images whose first row is this row of the detector; else empty.
std::string distortion_line(const Settings &settings, const Inspection &scan, unsigned first);

} // namespace tomo::reconstruction
