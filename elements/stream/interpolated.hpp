// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the elements that interpolate between arrays share.
#pragma once

#include <gst/tomo/bases/element.hpp>

namespace tomo {

// What lies at `fraction` of the way from `first` to `second`. Their formats are those of the kernels' in0
// and in1.
inline void interpolate(Element &element, const Array &first, const Array &second, double fraction,
                        Array &out) {
    element.launch(element.kernel("interpolate", {}, "interpolate.cl"), WorkSize(out.info().samples()), first,
                   second, out, cl_float(fraction));
}

} // namespace tomo
