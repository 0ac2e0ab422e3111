// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-search.hpp"

#include <glib.h>

#include <algorithm>
#include <cmath>

namespace tomo {

std::vector<MirroredRows> mirrored_rows(const std::vector<double> &angles, std::size_t most) {
    auto miss = [&](std::size_t i, std::size_t j) {
        return G_PI - std::abs(std::remainder(angles[j] - angles[i], 2.0 * G_PI));
    };
    const std::size_t n = angles.size();
    double step = 0.0, least = HUGE_VAL;
    for (std::size_t i = 1; i < n; i++)
        step = std::max(step, std::abs(angles[i] - angles[i - 1]));
    for (std::size_t i = 0; i < n; i++)
        for (std::size_t j = i + 1; j < n; j++)
            least = std::min(least, miss(i, j));
    const double rounding = 1e-3 * step;
    if (least > step + rounding)
        return {};
    std::vector<MirroredRows> all, some;
    for (std::size_t i = 0; i < n; i++)
        for (std::size_t j = i + 1; j < n; j++)
            if (miss(i, j) <= least + rounding)
                all.push_back({static_cast<cl_uint>(i), static_cast<cl_uint>(j)});
    const std::size_t kept = std::min(most, all.size());
    for (std::size_t k = 0; k < kept; k++)
        some.push_back(all[k * all.size() / kept]);
    return some;
}

double axis_of(const cl_float2 *variances, unsigned width) {
    const int sums = 2 * static_cast<int>(width) - 1;
    const int least_overlap = std::max(4, static_cast<int>(width) / 32);
    auto overlap = [&](int sum) { return std::min(sum + 1, sums - sum); };
    auto is_known = [&](int sum) {
        return sum >= 0 && sum < sums && overlap(sum) >= least_overlap &&
               std::isfinite(variances[sum].s[0]) && std::isfinite(variances[sum].s[1]);
    };
    double structure = 0.0;
    for (int sum = 0; sum < sums; sum++)
        if (is_known(sum))
            structure = std::max(structure, static_cast<double>(variances[sum].s[1]));
    // Variances below that tell nothing: empty margins are alike everywhere.
    constexpr double negligible = 1e-4;
    auto distance = [&](int sum) {
        return (variances[sum].s[0] + negligible * structure) /
               (variances[sum].s[1] + negligible * structure);
    };
    // The likelihood that rows are the same there, against that of having nothing in common, is
    // distance^(-overlap): the distance alone would prefer the few columns of small overlaps.
    int best = -1;
    double most = 0.0;
    for (int sum = 0; sum < sums && structure > 0.0; sum++) {
        if (!is_known(sum))
            continue;
        const double likelihood = -overlap(sum) * std::log(distance(sum));
        if (likelihood > most) {
            most = likelihood;
            best = sum;
        }
    }
    if (best < 0)
        return std::nan("");
    // The least distance itself lies nearby; between three of them it is at the vertex of a parabola.
    auto is_nearer = [&](int sum) { return is_known(sum) && distance(sum) < distance(best); };
    while (is_nearer(best - 1) || is_nearer(best + 1))
        best +=
            is_nearer(best - 1) && (!is_nearer(best + 1) || distance(best - 1) < distance(best + 1)) ? -1 : 1;
    double vertex = 0.0;
    if (is_known(best - 1) && is_known(best + 1)) {
        const double left = distance(best - 1), right = distance(best + 1),
                     bend = left - 2.0 * distance(best) + right;
        if (bend > 0.0)
            vertex = std::clamp((left - right) / bend / 2.0, -0.5, 0.5);
    }
    return (best + vertex + 1.0) / 2.0;
}

} // namespace tomo
