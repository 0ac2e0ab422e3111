// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Two real slices are one complex one to a Fourier transform, and some of these lie side by side.
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

namespace tomo::fourier {

inline ArrayInfo complex_samples(std::uint64_t x, std::uint64_t y = 1, std::uint64_t z = 1) {
    return {GST_TOMO_FORMAT_COMPLEX64, x, y, z};
}

// Whether kernels share local memory.
bool works_in_groups(const Device &device);
// Pairs that keep the device busy, with enough memory.
unsigned pairs_that_pay(const Device &device);
// A kernel for pairs side by side, with further options.
Kernel kernel_of_pairs(Compute &compute, const char *function, unsigned pairs, const char *file,
                       const std::string &options = {});
// Marks for slices that are lost; none is.
Array no_slice_is_bad(Compute &compute, unsigned pairs);

// run(part of `in`, part of `out`, pairs) for all planes, with a power of two of pairs, at most so many.
template <class F>
void each_block(const Array &in, Array &out, unsigned most_pairs, F run) {
    const auto part = [](const Array &array, unsigned z, unsigned planes) {
        return array.plane(z).as(array.info().with_size(array.width(), array.height(), planes));
    };
    for (unsigned z = 0; z < in.depth();) {
        // A quarter of the pairs may be of nothing.
        const unsigned left = (in.depth() - z + 1) / 2, all = std::bit_ceil(left);
        const unsigned pairs = std::min(most_pairs, 4 * left >= 3 * all ? all : std::bit_floor(left));
        const unsigned planes = std::min(2 * pairs, in.depth() - z);
        Array to = part(out, z, planes);
        run(part(in, z, planes), to, pairs);
        z += planes;
    }
}

} // namespace tomo::fourier
