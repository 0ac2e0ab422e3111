// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-search.hpp"

#include <gst/tomo/support/median.hpp>
#include <gst/tomo/support/parabola.hpp>

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace tomo {

namespace {

constexpr double turn = 2.0 * G_PI;

double on_circle(double angle) {
    const double folded = std::fmod(angle, turn);
    return folded < 0.0 ? folded + turn : folded;
}

// The views in the order of their angles, which begin at zero behind the widest gap.
class Circle {
  public:
    explicit Circle(const std::vector<double> &angles) {
        for (const double angle : angles)
            angles_.push_back(on_circle(angle));
        rows_.resize(angles.size());
        std::iota(rows_.begin(), rows_.end(), 0u);
        std::stable_sort(rows_.begin(), rows_.end(), [&](auto a, auto b) { return angles_[a] < angles_[b]; });
        std::size_t start = 0;
        double widest = 0.0;
        for (std::size_t k = 0; k < rows_.size(); k++)
            if (const double gap = gap_before(k); gap > widest * (1.0 + 1e-6)) { // not by rounding
                widest = gap;
                start = k;
            }
        const double origin = angles_[rows_[start]];
        std::rotate(rows_.begin(), rows_.begin() + start, rows_.end());
        for (double &angle : angles_)
            angle = on_circle(angle - origin);
        // Rounding must not take the first one round the circle.
        angles_[rows_.front()] = 0.0;
        std::vector<double> gaps;
        for (std::size_t k = 1; k < rows_.size(); k++)
            if (gap_before(k) > 1e-9)
                gaps.push_back(gap_before(k));
        step_ = gaps.empty() ? 0.0 : median(gaps);
    }

    std::size_t size() const { return rows_.size(); }
    double step() const { return step_; } // the median one between different angles
    double angle(std::size_t k) const { return angles_[rows_[k]]; }

    // By linear regression of the `n` views nearest to the angle.
    ViewBetween at(double angle, std::size_t n) const {
        auto away = [&](cl_uint row) { return std::remainder(angles_[row] - angle, turn); };
        auto rows = rows_;
        n = std::min({n, rows.size(), std::size_t{ViewBetween::most_rows}});
        std::partial_sort(rows.begin(), rows.begin() + n, rows.end(),
                          [&](auto a, auto b) { return std::abs(away(a)) < std::abs(away(b)); });
        double mean = 0.0, squares = 0.0;
        for (std::size_t k = 0; k < n; k++)
            mean += away(rows[k]) / n;
        for (std::size_t k = 0; k < n; k++)
            squares += (away(rows[k]) - mean) * (away(rows[k]) - mean);
        ViewBetween view;
        for (std::size_t k = 0; k < n; k++) {
            const double slope = squares > 0.0 ? -mean * (away(rows[k]) - mean) / squares : 0.0;
            view.rows[k] = rows[k];
            view.weights[k] = static_cast<cl_float>(1.0 / n + slope);
        }
        return view;
    }

    struct Between {
        std::size_t before, after;
        double share; // of the one after
        double gap;
    };
    // The neighbours of an angle from 0 to less than a turn.
    Between neighbours(double angle) const {
        const auto after = std::upper_bound(rows_.begin(), rows_.end(), angle,
                                            [&](double a, cl_uint row) { return a < angles_[row]; });
        const std::size_t k = after - rows_.begin(); // not 0: the first view is at 0
        const double begin = this->angle(k - 1);
        const double end = k < size() ? this->angle(k) : turn;
        return {k - 1, k % size(), (angle - begin) / (end - begin), end - begin};
    }

    ViewBetween view(std::size_t k) const {
        ViewBetween view;
        view.rows[0] = rows_[k];
        view.weights[0] = 1.0f;
        return view;
    }

    ViewBetween view(const Between &between) const {
        ViewBetween view;
        view.rows[0] = rows_[between.before];
        view.rows[1] = rows_[between.after];
        view.weights[1] = static_cast<cl_float>(between.share);
        view.weights[0] = 1.0f - view.weights[1];
        return view;
    }

  private:
    double gap_before(std::size_t k) const {
        return k > 0 ? angles_[rows_[k]] - angles_[rows_[k - 1]]
                     : angles_[rows_.front()] + turn - angles_[rows_.back()];
    }

    std::vector<double> angles_; // of rows
    std::vector<cl_uint> rows_;  // in the order of angles
    double step_ = 0.0;
};

MirroredPairs extrapolated_pair(const Circle &circle, unsigned width) {
    // In the order of the circle each view's counterpart is the one nearest to half a turn later.
    std::size_t first = 0, second = 0;
    double least = HUGE_VAL, missing = 0.0;
    for (std::size_t k = 0; k < circle.size() && circle.angle(k) < G_PI; k++) {
        const auto between = circle.neighbours(circle.angle(k) + G_PI);
        for (const std::size_t other : {between.before, between.after}) {
            const double miss = std::remainder(circle.angle(k) + G_PI - circle.angle(other), turn);
            if (other != k && std::abs(miss) < least) {
                least = std::abs(miss);
                missing = miss;
                first = k;
                second = other;
            }
        }
    }
    MirroredPairs result;
    result.missing = std::isfinite(least) ? least : G_PI;
    result.nearest = {circle.view(first), circle.view(second)};
    constexpr double most_steps = 4.0, most_pixels = 8.0;
    if (!(least <= most_steps * circle.step() * (1.0 + 1e-3) || least * width / 2.0 <= most_pixels))
        return result;
    const auto rows = std::max<std::size_t>(
        2, static_cast<std::size_t>(std::min(8.0, 1.0 + 2.0 / (circle.step() * width / 2.0))));
    result.pairs.push_back({circle.at(circle.angle(first) - missing / 2.0, rows),
                            circle.at(circle.angle(second) + missing / 2.0, rows)});
    return result;
}

// What the variances say together.
class Curve {
  public:
    Curve(const cl_float2 *variances, std::size_t pairs, unsigned width, const AxisRange &range)
        : sums_(2 * static_cast<int>(width) - 1), least_overlap_(std::max(4, static_cast<int>(width) / 32)),
          range_(range), of_differences_(sums_, 0.0), of_rows_(sums_, 0.0) {
        for (std::size_t p = 0; p < pairs; p++)
            for (int sum = 0; sum < sums_; sum++) {
                of_differences_[sum] += variances[p * sums_ + sum].s[0];
                of_rows_[sum] += variances[p * sums_ + sum].s[1];
            }
        for (int sum = 0; sum < sums_; sum++)
            if (is_known(sum))
                structure_ = std::max(structure_, of_rows_[sum]);
    }

    bool is_known(int sum) const {
        return sum >= 0 && sum < sums_ && overlap(sum) >= least_overlap_ && range_.has((sum + 1.0) / 2.0) &&
               std::isfinite(of_differences_[sum]) && std::isfinite(of_rows_[sum]);
    }

    // Half the variance of the rows' difference over that of the rows: 0 where they are the same, 1 where
    // they have nothing in common. Variances below the negligible tell nothing: empty margins are alike
    // everywhere.
    double distance(int sum) const {
        constexpr double negligible = 1e-4;
        return (of_differences_[sum] + negligible * structure_) / (of_rows_[sum] + negligible * structure_);
    }

    // The likelihood that rows are the same there, against that of having nothing in common, is
    // distance^(-overlap): the distance alone would prefer the few columns of small overlaps.
    double likelihood(int sum) const { return is_known(sum) ? -overlap(sum) * std::log(distance(sum)) : 0.0; }

    std::optional<int> most_likely() const {
        int best = -1;
        double most = 0.0;
        for (int sum = 0; sum < sums_ && structure_ > 0.0; sum++)
            if (likelihood(sum) > most) {
                most = likelihood(sum);
                best = sum;
            }
        return best < 0 ? std::nullopt : std::optional(best);
    }

    // How far apart those places lie that fit about as well as the best one: the likelihood's one sigma, with
    // the columns taken for related over some pixels, as an image's are.
    double spread_of_likely(int best) const {
        constexpr double related = 4.0;
        double weights = 0.0, mean = 0.0, squares = 0.0;
        for (int sum = 0; sum < sums_; sum++) {
            // v^(-N / 2) is the likelihood of N values that are not related, and v^(-N) that of the choice
            // above.
            const double weight =
                is_known(sum) ? std::exp((likelihood(sum) - likelihood(best)) / (2.0 * related)) : 0.0;
            weights += weight;
            mean += weight * (sum - best);
            squares += weight * (sum - best) * (sum - best);
        }
        mean /= weights;
        return std::sqrt(std::max(0.0, squares / weights - mean * mean));
    }

  private:
    int overlap(int sum) const { return std::min(sum + 1, sums_ - sum); }

    const int sums_, least_overlap_;
    const AxisRange range_;
    std::vector<double> of_differences_, of_rows_;
    double structure_ = 0.0;
};

// The views of pairs, smoothed by a Gaussian. Where noise is larger than the steps from column to column, a
// smooth part of the views tells the axis better than all of it.
class SmoothPairs {
  public:
    // `without_mean`: relative to the mean of all first ones and that of all second ones. These means mirror
    // each other as the views do, and hold all stripes, which don't.
    SmoothPairs(const float *rows, std::size_t pairs, unsigned width, double sigma, bool without_mean)
        : width_(static_cast<int>(width)), reach_(static_cast<int>(std::ceil(3.0 * sigma))), pairs_(pairs),
          rows_(2 * pairs * width) {
        std::vector<double> kernel(reach_ + 1, 1.0);
        for (int k = 1; k <= reach_; k++)
            kernel[k] = std::exp(-0.5 * k * k / (sigma * sigma));
        for (std::size_t r = 0; r < 2 * pairs; r++)
            for (int x = 0; x < width_; x++) {
                double sum = 0.0, weights = 0.0;
                for (int m = std::max(0, x - reach_); m <= std::min(width_ - 1, x + reach_); m++)
                    if (const double v = rows[r * width + m]; std::isfinite(v)) {
                        sum += kernel[std::abs(m - x)] * v;
                        weights += kernel[std::abs(m - x)];
                    }
                rows_[r * width + x] = sum / weights;
            }
        for (std::size_t i = 0; i < 2 * std::size_t{width} && without_mean; i++) {
            double mean = 0.0;
            for (std::size_t p = 0; p < pairs; p++)
                mean += rows_[2 * p * width + i] / double(pairs);
            for (std::size_t p = 0; p < pairs; p++)
                rows_[2 * p * width + i] -= mean;
        }
    }

    std::size_t pairs() const { return pairs_; }

    // Mean square of the difference of the pairs from `begin` to `end` where the columns' sum is such.
    double distance(int sum, std::size_t begin, std::size_t end) const {
        double total = 0.0;
        for (std::size_t p = begin; p < end; p++) {
            const double *u = row(2 * p), *v = row(2 * p + 1);
            double mean = 0.0, squares = 0.0;
            const int first = begin_of(sum), last = end_of(sum) - 1;
            for (int x = first; x <= last; x++)
                mean += u[x] - v[sum - x];
            mean /= last - first + 1;
            for (int x = first; x <= last; x++) {
                const double d = u[x] - v[sum - x] - mean;
                squares += d * d;
            }
            total += squares / (last - first + 1);
        }
        return total;
    }

    // The nearest least distance that lies downhill, and between three of them the vertex of a parabola. NaN
    // where there is none.
    double least(int sum, std::size_t begin, std::size_t end) const {
        const int most_steps = 64;
        constexpr int least_columns = 8;
        auto is_narrow = [&](int s) { return end_of(s) - begin_of(s) < least_columns; };
        if (is_narrow(sum - 1) || is_narrow(sum + 1))
            return std::nan("");
        double left = distance(sum - 1, begin, end), here = distance(sum, begin, end),
               right = distance(sum + 1, begin, end);
        for (int steps = 0; std::min(left, right) < here; steps++) {
            if (steps == most_steps || is_narrow(sum - 2) || is_narrow(sum + 2))
                return std::nan("");
            if (left < right) {
                sum--;
                right = std::exchange(here, left);
                left = distance(sum - 1, begin, end);
            } else {
                sum++;
                left = std::exchange(here, right);
                right = distance(sum + 1, begin, end);
            }
        }
        return sum + Parabola(left, here, right).vertex;
    }

    // One sigma of that place by what is left of the rows there: to first order a residual e(x) moves it by
    // sum(e g) / sum(g^2), g the rows' gradient. Residuals of neighbouring columns count as related, and
    // those of one column in all pairs, as stripes are (a sandwich estimator with weights that fall linearly
    // with the distance: Newey, West, Econometrica 55, 703 (1987)). Gradients of both rows, whose noise is
    // not related, give sum(g^2) without that of the noise.
    double sigma(double place) const {
        const int sum = static_cast<int>(std::lround(place));
        const int begin = begin_of(sum) + 1, end = end_of(sum) - 1;
        std::vector<double> scores(std::max(0, end - begin), 0.0);
        double information = 0.0;
        for (std::size_t p = 0; p < pairs_; p++) {
            const double *u = row(2 * p), *v = row(2 * p + 1);
            double mean = 0.0;
            for (int x = begin; x < end; x++)
                mean += (u[x] - v[sum - x]) / (end - begin);
            for (int x = begin; x < end; x++) {
                const int m = sum - x;
                const double of_u = (u[x + 1] - u[x - 1]) / 2.0, of_v = (v[m - 1] - v[m + 1]) / 2.0;
                scores[x - begin] += (u[x] - v[m] - mean) * (of_u + of_v) / 2.0;
                information += of_u * of_v;
            }
        }
        constexpr std::size_t related = 16; // columns
        double variance = 0.0;
        for (std::size_t i = 0; i < scores.size(); i++)
            for (std::size_t j = i; j < std::min(scores.size(), i + related); j++)
                variance += (i == j ? 1.0 : 2.0) * (1.0 - double(j - i) / related) * scores[i] * scores[j];
        return information > 0.0 ? std::sqrt(std::max(0.0, variance)) / information : HUGE_VAL;
    }

  private:
    const double *row(std::size_t r) const { return rows_.data() + r * width_; }
    // The columns of first rows where both overlap, but for those at the ends, whose Gaussian is cut off.
    int begin_of(int sum) const { return std::max(0, sum - width_ + 1) + reach_; }
    int end_of(int sum) const { return std::min(sum, width_ - 1) + 1 - reach_; }

    const int width_, reach_;
    const std::size_t pairs_;
    std::vector<double> rows_;
};

// One sigma of the mean of what the pairs say one by one; the median distance to the median tells the spread,
// so that a pair that is misled by something does not.
double sigma_by_spread(std::vector<double> places) {
    if (places.size() < 2)
        return 0.0;
    const double middle = median(places);
    for (double &place : places)
        place = std::abs(place - middle);
    constexpr double sigma_of_median = 1.4826; // of normally distributed ones
    return sigma_of_median * median(places) / std::sqrt(double(places.size()));
}

} // namespace

MirroredPairs mirrored_pairs(const std::vector<double> &angles, std::size_t most, unsigned width) {
    const Circle circle(angles);
    const double rounding = 1e-3 * circle.step(), widest = 2.0 * circle.step() + rounding;
    std::vector<MirroredViews> same, between;
    for (std::size_t k = 0; k < circle.size() && circle.angle(k) < G_PI - rounding; k++) {
        const auto other = circle.neighbours(on_circle(circle.angle(k) + G_PI));
        const double from_before = other.share * other.gap, from_after = other.gap - from_before;
        if (std::min(from_before, from_after) <= rounding)
            same.push_back(
                {circle.view(k), circle.view(from_before <= from_after ? other.before : other.after)});
        else if (other.gap <= widest)
            between.push_back({circle.view(k), circle.view(other)});
    }
    // Measured counterparts are better than interpolated ones, but few of them are worse than many of both.
    constexpr std::size_t enough = 8;
    if (same.size() < enough)
        same.insert(same.end(), between.begin(), between.end());
    if (same.empty())
        return extrapolated_pair(circle, width);
    MirroredPairs result;
    const std::size_t kept = std::min(most, same.size());
    for (std::size_t k = 0; k < kept; k++)
        result.pairs.push_back(same[k * same.size() / kept]);
    return result;
}

std::vector<ViewBetween> half_turn(const std::vector<double> &angles) {
    const Circle circle(angles);
    if (!(circle.step() > 0.0))
        return {};
    const double rounding = 1e-3 * circle.step(), widest = 2.0 * circle.step() + rounding;
    const auto number = static_cast<std::size_t>(std::lround(G_PI / circle.step()));
    std::vector<ViewBetween> views;
    for (std::size_t k = 0; k < number; k++) {
        const double angle = k * G_PI / double(number);
        // A jitter of the last view of half a turn is no reason to do without.
        const auto between = circle.neighbours(angle);
        const double from_before = between.share * between.gap, from_after = between.gap - from_before;
        if (between.gap <= widest)
            views.push_back(circle.view(between));
        else if (std::min(from_before, from_after) <= circle.step() / 2.0)
            views.push_back(circle.view(from_before <= from_after ? between.before : between.after));
        else
            return {};
    }
    return views;
}

double least_place(const std::vector<double> &places, const std::vector<double> &values) {
    const auto k = static_cast<std::size_t>(std::min_element(values.begin(), values.end()) - values.begin());
    if (k == 0 || k + 1 >= values.size())
        return places[k];
    return places[k] +
           (places[k + 1] - places[k - 1]) / 2.0 * Parabola(values[k - 1], values[k], values[k + 1]).vertex;
}

namespace {

// The least smoothing of which more would not make it much more certain.
AxisFound axis_near(int sum, const float *rows, std::size_t pairs, unsigned width, bool without_mean) {
    constexpr double much = 0.7;
    AxisFound found;
    double least_sigma = HUGE_VAL;
    for (const double smoothing : {0.0, 1.0, 2.0, 4.0, 8.0}) {
        const SmoothPairs smooth(rows, pairs, width, smoothing, without_mean);
        const double least = smooth.least(sum, 0, pairs);
        if (std::isnan(least))
            continue;
        std::vector<double> places;
        for (std::size_t p = 0; p < pairs && pairs > 1; p++)
            if (const double one = smooth.least(static_cast<int>(std::lround(least)), p, p + 1);
                std::isfinite(one))
                places.push_back(one);
        const double sigma = std::max(smooth.sigma(least), sigma_by_spread(places));
        if (std::isnan(found.axis) || sigma < much * least_sigma) {
            found.axis = (least + 1.0) / 2.0; // the columns' sum is twice the axis
            found.uncertainty = std::min(sigma, double(width)) / 2.0;
            least_sigma = sigma;
        }
    }
    found.pairs = static_cast<unsigned>(pairs);
    return found;
}

} // namespace

AxisFound axis_near(double axis, const float *rows, std::size_t pairs, unsigned width) {
    const int sum = static_cast<int>(std::lround(2.0 * axis - 1.0));
    const auto plain = axis_near(sum, rows, pairs, width, false);
    constexpr std::size_t enough = 8; // pairs whose mean is not mostly one of them
    if (pairs < enough)
        return plain;
    // Little is left of an object of which all views are alike, such as a rod on the axis.
    const auto without_stripes = axis_near(sum, rows, pairs, width, true);
    constexpr double fair = 0.1, much_more = 3.0;
    return std::isfinite(without_stripes.axis) && std::isfinite(plain.axis) &&
                   std::abs(without_stripes.axis - axis) <= 4.0 &&
                   without_stripes.uncertainty <= std::max(fair, much_more * plain.uncertainty)
               ? without_stripes
               : plain;
}

AxisFound axis_of(const cl_float2 *variances, const float *rows, std::size_t pairs, unsigned width,
                  const AxisRange &range) {
    const Curve all(variances, pairs, width, range);
    AxisFound found;
    found.pairs = static_cast<unsigned>(pairs);
    const auto likely = all.most_likely();
    if (!likely)
        return found;
    found = axis_near((*likely + 1.0) / 2.0, rows, pairs, width);
    if (std::isfinite(found.axis))
        found.uncertainty =
            std::max(found.uncertainty, std::min(all.spread_of_likely(*likely), double(width)) / 2.0);
    for (int sum = 0; sum < 2 * static_cast<int>(width) - 1; sum++)
        if (all.is_known(sum)) {
            found.curve.axes.push_back((sum + 1.0) / 2.0);
            found.curve.values.push_back(all.distance(sum));
        }
    return found;
}

} // namespace tomo
