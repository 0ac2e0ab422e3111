// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Principal components of a few images, from the products of these with each other.
#pragma once

#include <vector>

namespace tomo {

struct Component {
    double variance;             // of the images along it, per pixel
    std::vector<double> weights; // of the images; their squares add up to 1
};

// Components of `count` images from the mean products per pixel of each two of them (their mean is taken
// off), the largest one first.
std::vector<Component> principal_components(const std::vector<double> &products, unsigned count);

// Variances that components of so many images without any would have, each with two standard deviations more,
// in falling order: of independent pixels with this mean variance, as many of equal variance as `pixels`
// (Horn's parallel analysis).
std::vector<double> variances_of_noise(unsigned count, double variance, double pixels);

} // namespace tomo
