// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/addressing.hpp>
#include <gst/tomo/compute/compute.hpp>

namespace tomo {

// Pixels beyond the edges of an image.
struct Margin {
    unsigned left, top, right, bottom;
};

// The array as float32 with a margin around each plane, so that kernels that look at the surroundings of a
// pixel need neither know about edges nor about formats. What Addressing::none and clamp leave empty is NaN
// and zero. The kernels' array `in` has the type of `in`.
inline Array padded(Compute &compute, const Array &in, const Margin &margin, Addressing addressing) {
    const auto width = std::uint64_t{in.width()} + margin.left + margin.right;
    const auto height = std::uint64_t{in.height()} + margin.top + margin.bottom;
    if (width * height > G_MAXINT) // kernels count in int
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("%s with %u, %u, %u and %u pixels around it (left, top, right, bottom) is too large; wanted "
                 "up to %d pixels",
                 in.info().describe().c_str(), margin.left, margin.top, margin.right, margin.bottom,
                 G_MAXINT));
    auto out = compute.allocate(in.info().with_format(GST_TOMO_FORMAT_FLOAT32).with_size(width, height));
    const auto kernel = compute.kernel("padded", "-D ADDRESSING=" + std::to_string(int(addressing)), "padded.cl");
    compute.launch(kernel, WorkSize(out.info()), in, out, cl_int(margin.left), cl_int(margin.top),
                   cl_int(in.width()), cl_int(in.height()));
    return out;
}

} // namespace tomo
