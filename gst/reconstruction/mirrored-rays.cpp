// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/mirrored-rays.hpp>
#include <gst/tomo/support/parabola.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace tomo::reconstruction {

namespace {

using std::numbers::pi;
constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();

// Differences of rays for one axis.
struct Sums {
    double differences = 0.0, squares = 0.0, values = 0.0; // of squares, and of values
    std::size_t pairs = 0;

    // Of the variance of these rays, so that air alone, without any contrast, is no good match.
    double share(double least_variance) const {
        const double rays = 2.0 * static_cast<double>(pairs), variance = squares - values * values / rays;
        return pairs > 0 && variance > least_variance * rays ? differences / variance : nowhere;
    }
};

class Comparison {
  public:
    Comparison(const FanSinogram &sinogram, std::size_t most_rays)
        : of_(sinogram), order_(sinogram.angles.size()) {
        const std::size_t views = order_.size();
        std::vector<double> turned;
        for (const double angle : of_.angles)
            turned.push_back(folded(angle));
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::stable_sort(order_.begin(), order_.end(), [&](auto a, auto b) { return turned[a] < turned[b]; });
        for (const auto view : order_)
            directions_.push_back(turned[view]);
        std::vector<double> gaps;
        for (std::size_t i = 0; i < views; i++)
            gaps.push_back(gap_behind(i));
        std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(views / 2), gaps.end());
        widest_ = 2.5 * gaps[views / 2];
        double sum = 0.0, squares = 0.0;
        for (const double value : of_.values)
            if (std::isfinite(value)) {
                sum += value;
                squares += value * value;
            }
        const auto rays = static_cast<double>(of_.values.size());
        least_variance_ = 1e-4 * (squares / rays - sum / rays * sum / rays);
        view_step_ = std::max<std::size_t>(1, views * of_.columns / most_rays);
    }

    double share(double axis) const { return at(axis).share(least_variance_); }

    Sums at(double axis) const {
        Sums sums;
        for (unsigned column = 0; column < of_.columns; column++) {
            const double side = column + 0.5 - axis, mirrored = axis - side - 0.5; // index between columns
            if (!(mirrored >= 0.0 && mirrored <= of_.columns - 1.0))
                continue;
            const double angle =
                std::isinf(of_.source_detector) ? 0.0 : std::atan(side / of_.source_detector);
            // Other views for each column, so that all take part.
            for (std::size_t view = column % view_step_; view < order_.size(); view += view_step_) {
                double other;
                if (!value_at(folded(of_.angles[view] + pi + 2.0 * angle), mirrored, other))
                    continue;
                const double one = of_.values[view * of_.columns + column];
                if (!std::isfinite(one) || !std::isfinite(other))
                    continue;
                sums.differences += (one - other) * (one - other);
                sums.squares += one * one + other * other;
                sums.values += one + other;
                sums.pairs++;
            }
        }
        return sums;
    }

  private:
    static double folded(double angle) {
        const double rest = std::fmod(angle, 2.0 * pi);
        return rest < 0.0 ? rest + 2.0 * pi : rest;
    }

    double gap_behind(std::size_t i) const {
        return i + 1 < directions_.size() ? directions_[i + 1] - directions_[i]
                                          : directions_.front() + 2.0 * pi - directions_.back();
    }

    // Between the two views around a direction; false where views are missing.
    bool value_at(double direction, double column, double &value) const {
        const auto next = std::upper_bound(directions_.begin(), directions_.end(), direction);
        const std::size_t after = next == directions_.end()
                                      ? 0
                                      : static_cast<std::size_t>(next - directions_.begin()),
                          before = next == directions_.begin()
                                       ? directions_.size() - 1
                                       : static_cast<std::size_t>(next - directions_.begin()) - 1;
        const double gap = gap_behind(before);
        if (gap > widest_ || gap <= 0.0)
            return false;
        const double way = folded(direction - directions_[before]), share = std::min(way / gap, 1.0);
        value = (1.0 - share) * sample(order_[before], column) + share * sample(order_[after], column);
        return true;
    }

    double sample(std::size_t view, double column) const {
        const auto left = static_cast<unsigned>(std::min(column, of_.columns - 1.0));
        const unsigned right = std::min(left + 1, of_.columns - 1);
        const double share = column - left;
        const float *row = of_.values.data() + view * of_.columns;
        return (1.0 - share) * row[left] + share * row[right];
    }

    const FanSinogram &of_;
    std::vector<std::size_t> order_; // views by their directions
    std::vector<double> directions_; // of these, from 0 to 2 pi
    double widest_ = 0.0;            // gap of directions between which is interpolated
    double least_variance_ = 0.0;    // of rays that tell anything
    std::size_t view_step_ = 1;
};

FanSinogram binned(const FanSinogram &sinogram, unsigned binning) {
    FanSinogram out{{}, sinogram.columns / binning, sinogram.angles, sinogram.source_detector / binning};
    for (std::size_t view = 0; view < sinogram.angles.size(); view++)
        for (unsigned column = 0; column < out.columns; column++) {
            const float *from = sinogram.values.data() + view * sinogram.columns + column * binning;
            out.values.push_back(std::accumulate(from, from + binning, 0.0f) / static_cast<float>(binning));
        }
    return out;
}

// The criterion for several axes, and the one where it is least.
struct Scan {
    std::vector<double> axes, values;
    std::size_t least = 0;

    bool is_at_end() const { return least == 0 || least + 1 >= axes.size(); }
};

Scan scan(const Comparison &comparison, double from, double to, unsigned steps) {
    Scan found;
    for (unsigned i = 0; i <= steps; i++) {
        const double axis = from + (to - from) * i / steps, value = comparison.share(axis);
        if (std::isnan(value)) // no ray is seen twice
            continue;
        found.axes.push_back(axis);
        found.values.push_back(value);
    }
    found.least = static_cast<std::size_t>(std::min_element(found.values.begin(), found.values.end()) -
                                           found.values.begin());
    return found;
}

} // namespace

MirroredAxis axis_of_mirrored_rays(const FanSinogram &sinogram, double from, double to) {
    constexpr unsigned enough_columns = 256;
    constexpr std::size_t coarse_rays = 60000, fine_rays = 400000;
    const MirroredAxis none{nowhere, nowhere, {}, {}, 0};
    if (sinogram.angles.size() < 2 || sinogram.columns < 4)
        return none;
    const unsigned binning = std::max(1u, sinogram.columns / enough_columns);
    const auto small = binned(sinogram, binning);
    const double pixels = (to - from) / binning;
    const auto coarse = scan(Comparison(small, coarse_rays), from / binning, to / binning,
                             std::max(8u, static_cast<unsigned>(std::ceil(2.0 * pixels))));
    if (coarse.axes.size() < 3 || coarse.is_at_end())
        return none;
    const Comparison comparison(sinogram, fine_rays);
    double about = coarse.axes[coarse.least] * binning, reach = 1.5 * binning;
    Scan curve;
    for (constexpr double fine = 0.25;; reach /= 4.0) {
        curve = scan(comparison, about - reach, about + reach, 16);
        if (curve.axes.size() < 3 || curve.is_at_end())
            return none;
        about = curve.axes[curve.least];
        if (reach <= fine * 4.0)
            break;
    }
    const auto i = curve.least;
    const double step = curve.axes[i + 1] - curve.axes[i], at = curve.values[i];
    const Parabola parabola(curve.values[i - 1], at, curve.values[i + 1]);
    const auto sums = comparison.at(about);
    const double bend = parabola.bend, axis = about + step * parabola.vertex;
    // Of a sum of squares whose terms have the variance that is left at its least.
    const double variance =
        bend > 0.0 ? 2.0 * at / static_cast<double>(sums.pairs) / (bend / (step * step)) : 1.0;
    constexpr double interpolation = 0.02;
    return {axis, std::max(std::sqrt(variance), interpolation), std::move(curve.axes),
            std::move(curve.values), sums.pairs};
}

} // namespace tomo::reconstruction
