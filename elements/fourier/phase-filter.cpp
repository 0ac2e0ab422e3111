// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "phase-filter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo::phase {

namespace {

constexpr double pi = std::numbers::pi;

// What stands for the square of k / n cycles per pixel.
std::vector<double> squares(unsigned n, bool of_differences) {
    std::vector<double> squares(n / 2 + 1);
    for (unsigned k = 0; k < squares.size(); k++) {
        const double u = double(k) / n;
        squares[k] = of_differences ? (1.0 - std::cos(2.0 * pi * u)) / (2.0 * pi * pi) : u * u;
    }
    return squares;
}

// Where a filter 1 / (1 + ratio a), the steepest of all near the mean, has fallen to exp(-8) in space, and
// the farthest fringe behind an edge of one pixel.
double reach_along(double steepness, double ratio) {
    return 8.0 * std::sqrt(steepness * ratio) / (2.0 * pi) + steepness / (2.0 * pi);
}

} // namespace

Steepness Filter::reach() const {
    Steepness farthest{0.0, 0.0};
    for (const auto &distance : distances) {
        farthest.columns = std::max(farthest.columns, reach_along(distance.columns, ratio));
        farthest.rows = std::max(farthest.rows, reach_along(distance.rows, ratio));
    }
    return farthest;
}

double Filter::of_one(double a, bool is_mean) const {
    const double regularization = 1.0 / ratio, gain = normalize ? 2.0 * regularization : 1.0;
    const bool is_cut = a >= frequency_cutoff;
    if (method == Method::tie || method == Method::gpm)
        return is_cut ? 0.0 : gain * 0.5 / (a + regularization);
    if (is_mean && normalize)
        return 1.0;
    const double transfer = std::sin(a) + regularization;
    const bool is_near_zero = a > pi / 2.0 && std::abs(transfer) < thresholding_rate;
    if (method == Method::qp2 && (is_near_zero || is_cut || is_mean)) {
        const double sign = transfer > 0.0 ? 1.0 : transfer < 0.0 ? -1.0 : 0.0;
        return gain * sign * 0.5 / (thresholding_rate + regularization);
    }
    if (is_cut || is_mean || (method == Method::qp && is_near_zero) || std::abs(transfer) < 1e-7)
        return 0.0;
    return gain * 0.5 / transfer;
}

// Least squares over the distances.
void Filter::of_several(const std::vector<double> &a, std::vector<double> &values) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); i++) {
        values[i] = a[i] >= frequency_cutoff ? 0.0 : ratio * std::sin(a[i]) + std::cos(a[i]);
        sum += values[i] * values[i];
    }
    double factor = sum < 1e-7 ? 1e3 : 1.0 / sum;
    if (method == Method::ict) {
        const double first_maximum = std::atan(ratio),
                     threshold = ict_alpha_threshold > 0.0 ? ict_alpha_threshold : first_maximum;
        const double alpha = *std::max_element(a.begin(), a.end()) > threshold ? ict_alpha : 0.0;
        factor = sum + alpha > 0.0 ? 1.0 / (sum + alpha) : 0.0;
    }
    for (auto &value : values)
        value *= factor;
}

std::vector<float> Filter::quadrant(unsigned width, unsigned height) const {
    const bool of_differences = method == Method::gpm;
    const auto columns = squares(width, of_differences), rows = squares(height, of_differences);
    const std::size_t plane = columns.size() * rows.size();
    std::vector<float> table(plane * distances.size());
    std::vector<double> a(distances.size()), values(distances.size());
    std::size_t at = 0;
    for (const double row : rows)
        for (const double column : columns) {
            std::transform(distances.begin(), distances.end(), a.begin(),
                           [&](const auto &d) { return d.columns * column + d.rows * row; });
            if (takes_several_distances(method))
                of_several(a, values);
            else
                values[0] = of_one(a[0], at == 0);
            for (std::size_t i = 0; i < values.size(); i++)
                table[i * plane + at] = static_cast<float>(values[i]);
            at++;
        }
    return table;
}

} // namespace tomo::phase
