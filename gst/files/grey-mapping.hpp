// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tomo::io {

// Smallest and largest finite value met so far.
struct ValueRange {
    double minimum = std::numeric_limits<double>::infinity();
    double maximum = -std::numeric_limits<double>::infinity();

    void include(const ArrayInfo &info, const void *data);
    bool is_empty() const { return !(minimum <= maximum); }
    bool operator==(const ValueRange &) const = default;
};

// How values become unsigned integers of 8 or 16 bits: the range's minimum becomes 0 and its maximum the
// largest integer, linearly; what lies outside is clipped, what lies between rounded to the nearest. NaN
// becomes 0. Where the range is a single value, that becomes 0 as well.
struct GreyMapping {
    unsigned bits;
    bool rescale; // false: the values are the integers
    ValueRange range;

    GstTomoFormat format() const { return bits == 8 ? GST_TOMO_FORMAT_UINT8 : GST_TOMO_FORMAT_UINT16; }
    // Returns how many were NaN.
    std::uint64_t apply(const ArrayInfo &info, const void *data, void *integers) const;
    // The values that the smallest and the largest integer stand for; unset where the values are the
    // integers, and where there was none.
    std::optional<ValueRange> grey() const {
        return rescale && !range.is_empty() ? std::optional(range) : std::nullopt;
    }
};

// Of a minimum, a maximum or both that are given, and what was met of the others. Where that lies on the
// wrong side of the given one, the range is this value.
ValueRange range_of(std::optional<double> minimum, std::optional<double> maximum, const ValueRange &met);

// As files say it in words: names and values, shortest digits that give the same number again.
std::vector<std::pair<std::string, std::string>> grey_words(const std::optional<ValueRange> &grey);

} // namespace tomo::io
