// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <utility>

namespace tomo {

// The standard deviation of the noise in each plane, for kernels: it stays on the device. After Immerkaer,
// see kernels/noise-level.cl. `image` has come from padded(), with a margin of at least one pixel on all
// sides. 0 where no pixel has all the neighbours that this takes, which are NaN with Addressing::none.
inline Array noise_level(Compute &compute, const Array &image, unsigned margin) {
    const unsigned width = image.width() - 2 * margin, height = image.height() - 2 * margin;
    auto sums = compute.allocate({GST_TOMO_FORMAT_FLOAT32, width, image.depth()});
    auto counts = compute.allocate({GST_TOMO_FORMAT_UINT32, width, image.depth()});
    auto level = compute.allocate({GST_TOMO_FORMAT_FLOAT32, image.depth(), 1});
    auto kernel = [&](const char *name) { return compute.kernel(name, {}, "noise-level.cl"); };
    compute.launch(kernel("noise_columns"), WorkSize(width, image.depth()), image, sums, counts,
                   cl_uint{height}, cl_uint{margin});
    compute.launch(kernel("noise_level"), WorkSize(image.depth()), std::as_const(sums), std::as_const(counts),
                   level, cl_uint{width});
    return level;
}

} // namespace tomo
