// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// C++ types for samples of arrays in the host's memory.
#pragma once

#include <gst/tomo/gsttomoarray.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace tomo {

// IEEE 754 binary16, for which C++20 has no type.
struct Half {
    std::uint16_t bits;

    operator double() const {
        const int exponent = bits >> 10 & 0x1f;
        const int mantissa = bits & 0x3ff;
        double value;
        if (exponent == 0x1f)
            value =
                mantissa ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
        else if (exponent == 0)
            value = std::ldexp(mantissa, -24);
        else
            value = std::ldexp(mantissa | 0x400, exponent - 25);
        return bits & 0x8000 ? -value : value;
    }
};

// Calls visit(samples) with a pointer to the C++ type of `format`. False, without a call, if the samples are
// not real numbers.
template <class Visit>
bool with_real_samples(GstTomoFormat format, const void *data, Visit visit) {
    const auto as = [&](auto type) {
        visit(static_cast<const decltype(type) *>(data));
        return true;
    };
    switch (format) {
    case GST_TOMO_FORMAT_UINT8:
        return as(std::uint8_t{});
    case GST_TOMO_FORMAT_UINT16:
        return as(std::uint16_t{});
    case GST_TOMO_FORMAT_UINT32:
        return as(std::uint32_t{});
    case GST_TOMO_FORMAT_INT16:
        return as(std::int16_t{});
    case GST_TOMO_FORMAT_INT32:
        return as(std::int32_t{});
    case GST_TOMO_FORMAT_FLOAT16:
        return as(Half{});
    case GST_TOMO_FORMAT_FLOAT32:
        return as(float{});
    case GST_TOMO_FORMAT_FLOAT64:
        return as(double{});
    case GST_TOMO_FORMAT_COMPLEX64:
    case GST_TOMO_FORMAT_UNKNOWN:
        break;
    }
    return false;
}

} // namespace tomo
