// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/array.hpp>

#include <cstdint>
#include <limits>

namespace tomo::io {

// Smallest and largest finite value met so far.
struct ValueRange {
    double minimum = std::numeric_limits<double>::infinity();
    double maximum = -std::numeric_limits<double>::infinity();

    void include(const ArrayInfo &info, const void *data);
};

// How values become unsigned integers of 8 or 16 bits: the range's minimum becomes 0 and its maximum the
// largest integer, linearly; what lies outside is clipped, what lies between rounded to the nearest. NaN
// becomes 0. Where the range is a single value, that becomes 0 as well.
struct GreyMapping {
    unsigned bits;
    bool rescale; // false: the values are the integers
    ValueRange range;

    GstTomoFormat format() const { return bits == 8 ? GST_TOMO_FORMAT_UINT8 : GST_TOMO_FORMAT_UINT16; }
    void apply(const ArrayInfo &info, const void *data, void *integers) const;
};

} // namespace tomo::io
