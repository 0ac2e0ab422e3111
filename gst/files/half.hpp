// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace tomo::io {

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

} // namespace tomo::io
