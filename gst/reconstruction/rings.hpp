// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The methods that remove stripes of sinograms, by the names that the parameter `rings` gives them, and rings of slices.
#pragma once

#include <gst/reconstruction/settings.hpp>

namespace tomo::reconstruction {

// Whether the method works on transmission, so that the logarithm is taken behind it.
bool rings_want_transmission(const Settings &settings);

// " ! " and the elements of the method, for sinograms of so many columns; empty for none.
std::string rings_line(const Settings &settings, unsigned columns);

// The same for slices whose rings are about (center, center); empty for none.
std::string slice_rings_line(const Settings &settings, double center);

} // namespace tomo::reconstruction
