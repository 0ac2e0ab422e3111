// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the elements that interpolate between arrays share.
#pragma once

#include <gst/tomo/compute/compute.hpp>

namespace tomo {

// What lies at `fraction` of the way from `first` to `second`. Their formats are those of the kernels' in0
// and in1.
inline void interpolate(Compute &compute, const Array &first, const Array &second, double fraction,
                        Array &out) {
    compute.launch(compute.kernel("interpolate", {}, "interpolate.cl"), WorkSize(out.info().samples()), first,
                   second, out, cl_float(fraction));
}

} // namespace tomo
