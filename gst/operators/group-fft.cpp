// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/group-fft.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace tomo::fourier {

bool GroupFft::fits(const Device &device, unsigned length, std::size_t other_bytes) {
    return device.prefers_local_memory() && std::has_single_bit(length) && length >= 16 && length <= 4096 &&
           local_bytes(length) + other_bytes <= device.local_memory() &&
           length / 16 <= device.max_work_group();
}

GroupFft::GroupFft(Compute &compute, unsigned length) : length_(length) {
    std::vector<float> circle;
    for (unsigned m = 0; m < length; m++) {
        const auto root = std::polar(1.0, -2.0 * std::numbers::pi * m / length);
        circle.push_back(static_cast<float>(root.real()));
        circle.push_back(static_cast<float>(root.imag()));
    }
    circle_ = compute.upload(circle);
}

std::string GroupFft::options() const {
    const unsigned second = std::min(length_ / 16, 16u);
    return text(" -D LENGTH=%u -D RADIX_2=%u -D RADIX_3=%u", length_, second, length_ / 16 / second);
}

} // namespace tomo::fourier
