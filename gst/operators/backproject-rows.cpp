// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/backproject-rows.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

std::vector<BackprojectRow> backproject_rows(const std::vector<double> &angles,
                                             const std::vector<double> &weights, double axis,
                                             double axis_in_slice, const SliceRegion &slice) {
    if (weights.size() != angles.size())
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("%zu projections have %zu weights; one for each is needed.", angles.size(), weights.size()));
    constexpr double limit = 1 << 30; // 62 bits with those behind the point
    const double x = slice.x - axis_in_slice, y = slice.y - axis_in_slice;
    const double reach =
        std::max({std::abs(axis), std::abs(x), std::abs(y)}) + std::max(slice.width, slice.height);
    if (!(2 * reach < limit))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("The region of %u x %u pixels at (%u, %u) and the axis at %g lie too far apart; all "
                         "within %.0f pixels are needed.",
                         slice.width, slice.height, slice.x, slice.y, axis, limit / 2));

    const auto fixed = [](double value) {
        return static_cast<std::int64_t>(std::llround(std::ldexp(value, 32)));
    };
    std::vector<BackprojectRow> rows;
    rows.reserve(angles.size());
    for (std::size_t i = 0; i < angles.size(); i++) {
        const double cosine = std::cos(angles[i]), sine = std::sin(angles[i]);
        const double h = axis + (x + 0.5) * cosine + (y + 0.5) * sine;
        rows.push_back({fixed(h - 0.5), fixed(cosine), fixed(sine), static_cast<float>(cosine),
                        static_cast<float>(sine), static_cast<float>(h), static_cast<float>(weights[i])});
    }
    return rows;
}

} // namespace tomo
