// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tomo {

// One of the values: of an even number of them, the upper or the lower one of both in the middle. There must
// be one at least.
inline double value_at_rank(std::vector<double> values, std::size_t rank) {
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values.begin(), place, values.end());
    return *place;
}
inline double median(const std::vector<double> &values) { return value_at_rank(values, values.size() / 2); }
inline double lower_median(const std::vector<double> &values) {
    return value_at_rank(values, (values.size() - 1) / 2);
}

} // namespace tomo
