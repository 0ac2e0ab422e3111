// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grey-mapping.hpp"

#include <gst/tomo/device/samples.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>

namespace tomo::io {

namespace {

template <class Visit>
void with_samples(const ArrayInfo &info, const void *data, Visit visit) {
    if (!with_real_samples(info.format, data, visit))
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s samples can't become integers; write them to TIFF or HDF5 with bits=32",
                         gst_tomo_format_to_string(info.format)));
}

template <class Integer, class Sample>
std::uint64_t map_samples(const Sample *samples, std::uint64_t count, double offset, double scale,
                          Integer *integers) {
    std::uint64_t missing = 0;
    constexpr double top = std::numeric_limits<Integer>::max();
    for (std::uint64_t i = 0; i < count; i++) {
        const auto sample = static_cast<double>(samples[i]);
        missing += std::isnan(sample);
        const double value = (sample - offset) * scale;
        // Half up; and NaN, which fails the comparison, becomes 0.
        integers[i] = value >= 0 ? static_cast<Integer>(std::min(value, top) + 0.5) : Integer{0};
    }
    return missing;
}

} // namespace

void ValueRange::include(const ArrayInfo &info, const void *data) {
    with_samples(info, data, [&](const auto *samples) {
        for (std::uint64_t i = 0; i < info.samples(); i++) {
            const double value = samples[i];
            if (std::isfinite(value)) {
                minimum = std::min(minimum, value);
                maximum = std::max(maximum, value);
            }
        }
    });
}

ValueRange range_of(std::optional<double> minimum, std::optional<double> maximum, const ValueRange &met) {
    ValueRange range{minimum.value_or(met.minimum), maximum.value_or(met.maximum)};
    if (range.is_empty() && minimum && !met.is_empty())
        range.maximum = *minimum;
    else if (range.is_empty() && maximum && !met.is_empty())
        range.minimum = *maximum;
    return range;
}

std::vector<std::pair<std::string, std::string>> grey_words(const std::optional<ValueRange> &grey) {
    if (!grey)
        return {};
    const auto written = [](double value) {
        char digits[32];
        return std::string(digits, std::to_chars(digits, std::end(digits), value).ptr);
    };
    return {{"grey_minimum", written(grey->minimum)}, {"grey_maximum", written(grey->maximum)}};
}

// No finite value at all leaves an empty range.
double GreyMapping::offset() const { return rescale && !range.is_empty() ? range.minimum : 0.0; }

double GreyMapping::scale() const {
    const double top = bits == 8 ? 0xff : 0xffff;
    if (!rescale)
        return 1.0;
    return range.minimum < range.maximum ? top / (range.maximum - range.minimum) : 0.0;
}

std::uint64_t GreyMapping::apply(const ArrayInfo &info, const void *data, void *integers) const {
    std::uint64_t missing = 0;
    with_samples(info, data, [&](const auto *samples) {
        missing = bits == 8 ? map_samples(samples, info.samples(), offset(), scale(),
                                          static_cast<std::uint8_t *>(integers))
                            : map_samples(samples, info.samples(), offset(), scale(),
                                          static_cast<std::uint16_t *>(integers));
    });
    return missing;
}

std::pair<double, double> percentiles(std::vector<float> values, double low, double high) {
    values.erase(std::remove_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); }),
                 values.end());
    if (values.empty())
        return {0.0, 0.0};
    const auto at = [&](double share) {
        const auto place = values.begin() +
                           static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
        std::nth_element(values.begin(), place, values.end());
        return static_cast<double>(*place);
    };
    return {at(low), at(high)};
}

} // namespace tomo::io
