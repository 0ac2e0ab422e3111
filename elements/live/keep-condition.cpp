// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "keep-condition.hpp"

#include <gst/tomo/device/samples.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace tomo::live {

KeepCondition::KeepCondition(const std::string &given) {
    std::string plain;
    std::copy_if(given.begin(), given.end(), std::back_inserter(plain), [](char c) { return c != ' '; });
    if (plain.empty())
        return;
    constexpr std::pair<const char *, Measure> measures[] = {{"mean", Measure::mean},
                                                             {"minimum", Measure::minimum},
                                                             {"maximum", Measure::maximum},
                                                             {"deviation", Measure::deviation}};
    const auto at = plain.find_first_of("<>");
    for (const auto &[name, measure] : measures)
        if (at != plain.npos && plain.compare(0, at, name) == 0)
            measure_ = measure;
    const char *end = plain.data() + plain.size();
    const auto parsed = at == plain.npos ? std::from_chars_result{end, std::errc::invalid_argument}
                                         : std::from_chars(plain.data() + at + 1, end, bound_);
    if (measure_ == Measure::none || parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(bound_))
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("keep-when does not take '%s'; wanted mean, minimum, maximum or deviation, < or >, and a "
                 "bound in counts, such as mean>3000",
                 given.c_str()));
    is_above_ = plain[at] == '>';
}

bool KeepCondition::begins(const ArrayInfo &image, const void *data) {
    if (measure_ == Measure::none)
        return false;
    const auto count = image.samples();
    double sum = 0, squares = 0, least = std::numeric_limits<double>::infinity(), most = -least;
    with_real_samples(image.format, data, [&](const auto *samples) {
        const double first = samples[0]; // keeps the squares small
        for (std::uint64_t i = 0; i < count; i++) {
            const double value = samples[i];
            sum += value - first;
            squares += (value - first) * (value - first);
            least = std::min(least, value);
            most = std::max(most, value);
        }
        sum += first * static_cast<double>(count);
        const double mean = sum / static_cast<double>(count) - first;
        squares = squares / static_cast<double>(count) - mean * mean;
    });
    const double value = measure_ == Measure::mean      ? sum / static_cast<double>(count)
                         : measure_ == Measure::minimum ? least
                         : measure_ == Measure::maximum ? most
                                                        : std::sqrt(std::max(squares, 0.0));
    const bool is_met = is_above_ ? value > bound_ : value < bound_;
    return !std::exchange(is_met_, is_met) && is_met;
}

} // namespace tomo::live
