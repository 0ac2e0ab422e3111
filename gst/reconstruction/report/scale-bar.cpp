// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/report/html.hpp>
#include <gst/reconstruction/report/scale-bar.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

double round_length(double about) {
    const double power = std::pow(10.0, std::floor(std::log10(about))), digit = about / power;
    return power * (digit < 2.0 ? 1.0 : digit < 5.0 ? 2.0 : 5.0);
}

std::string in_metres(double length) {
    return length < 1e-6   ? digits(length * 1e9, 3) + " nm"
           : length < 1e-3 ? digits(length * 1e6, 3) + " \xc2\xb5m"
           : length < 1.0  ? digits(length * 1e3, 3) + " mm"
                           : digits(length, 3) + " m";
}

} // namespace

ScaleBar::ScaleBar(double pixels, double pixel_size) {
    if (pixel_size > 0.0) {
        const double length = round_length(pixels * pixel_size / 4.0);
        share = length / (pixels * pixel_size);
        label = in_metres(length);
    } else {
        const double length = std::max(round_length(pixels / 4.0), 1.0);
        share = length / pixels;
        label = digits(length, 3) + " px";
    }
}

} // namespace tomo::reconstruction
