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

// Smallest and largest finite value so far.
struct ValueRange {
    double minimum = std::numeric_limits<double>::infinity();
    double maximum = -std::numeric_limits<double>::infinity();

    void include(const ArrayInfo &info, const void *data);
    bool is_empty() const { return !(minimum <= maximum); }
    bool operator==(const ValueRange &) const = default;
};

// The mapping of values to unsigned integers of 8 or 16 bits. It is linear: the range's minimum becomes 0 and
// its maximum the largest integer. Values outside are clipped, values between are rounded to the nearest
// integer. NaN becomes 0, and so does the value of a range with a single value.
struct GreyMapping {
    unsigned bits;
    bool rescale; // false: the values are the integers
    ValueRange range;

    GstTomoFormat format() const { return bits == 8 ? GST_TOMO_FORMAT_UINT8 : GST_TOMO_FORMAT_UINT16; }
    // A value v becomes (v - offset) scale.
    double offset() const;
    double scale() const;
    // Returns the number of NaN.
    std::uint64_t apply(const ArrayInfo &info, const void *data, void *integers) const;
    // The values that the smallest and the largest integer stand for; empty if values are not rescaled, or if
    // there was no finite value.
    std::optional<ValueRange> grey() const {
        return rescale && !range.is_empty() ? std::optional(range) : std::nullopt;
    }
};

// The range from the given minimum and maximum, completed by the values met. If a completed limit lies on the
// wrong side of the given one, the range is the single given value.
ValueRange range_of(std::optional<double> minimum, std::optional<double> maximum, const ValueRange &met);

// The same as names and values for files, with the shortest digits that give the same number again.
std::vector<std::pair<std::string, std::string>> grey_words(const std::optional<ValueRange> &grey);

// Shares of the values of a picture up to which they are black, and from which on they are white.
constexpr double darkest = 0.005, brightest = 0.995;

// The values at two shares of all finite ones, such as these.
std::pair<double, double> percentiles(std::vector<float> values, double low, double high);

} // namespace tomo::io
