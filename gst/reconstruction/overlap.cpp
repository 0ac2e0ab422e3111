// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/overlap.hpp>
#include <gst/tomo/support/parabola.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr double least_likeness = 0.5;
constexpr double most_uncertain = 1.0;   // rows
constexpr double least_uncertain = 0.05; // of linear interpolation

// Sums of each feature over the first rows, for its variance in any range of rows.
class Sums {
  public:
    explicit Sums(const RowProfiles &of)
        : features_(of.features), sums_((of.rows + 1) * features_), squares_(sums_.size()) {
        for (std::size_t r = 0; r < of.rows; r++)
            for (std::size_t f = 0; f < features_; f++) {
                const double value = of.row(r)[f];
                sums_[(r + 1) * features_ + f] = sums_[r * features_ + f] + value;
                squares_[(r + 1) * features_ + f] = squares_[r * features_ + f] + value * value;
            }
    }

    // Of the squared distances to the features' means in these rows.
    double deviation(std::size_t first, std::size_t count) const {
        double all = 0.0;
        for (std::size_t f = 0; f < features_; f++) {
            const auto from = first * features_ + f, to = (first + count) * features_ + f;
            const double sum = sums_[to] - sums_[from];
            all += squares_[to] - squares_[from] - sum * sum / static_cast<double>(count);
        }
        return all;
    }

  private:
    std::size_t features_;
    std::vector<double> sums_, squares_;
};

double squared_difference(const float *one, const float *other, std::size_t count) {
    double all = 0.0;
    for (std::size_t i = 0; i < count; i++)
        all += (one[i] - other[i]) * (one[i] - other[i]);
    return all;
}

struct Match {
    long shift = 0;
    double likeness = -HUGE_VAL, weight = -HUGE_VAL;
};

// Rows that both have, where the other one begins `shift` rows below the first row of the one.
struct Common {
    std::size_t first_of_one, first_of_other, rows;

    Common(const RowProfiles &one, const RowProfiles &other, long shift)
        : first_of_one(static_cast<std::size_t>(std::max(shift, 0L))),
          first_of_other(static_cast<std::size_t>(std::max(-shift, 0L))),
          rows(std::min(one.rows - first_of_one, other.rows - first_of_other)) {}
};

// Mean squared difference where rows of the one are taken `part` / 2 lower, and those of the other as much
// higher. Interpolation lessens the noise, by which the difference would be least at half a row.
double difference_at(const RowProfiles &one, const RowProfiles &other, const Common &common, double part) {
    const double by = part / 2.0;
    const auto weight = static_cast<float>(std::abs(by));
    const long to_next = by < 0.0 ? -1 : 1;
    const auto row_of = [](const RowProfiles &of, std::size_t first, long row) {
        return of.row(first + static_cast<std::size_t>(row));
    };
    double sum = 0.0;
    const auto rows = static_cast<long>(common.rows);
    for (long r = 1; r + 1 < rows; r++) {
        const float *a = row_of(one, common.first_of_one, r), *b = row_of(other, common.first_of_other, r),
                    *next_a = row_of(one, common.first_of_one, r + to_next),
                    *next_b = row_of(other, common.first_of_other, r - to_next);
        for (std::size_t f = 0; f < one.features; f++) {
            const double difference = (a[f] - b[f]) * (1.0f - weight) + (next_a[f] - next_b[f]) * weight;
            sum += difference * difference;
        }
    }
    const double of_noise = (1.0 - weight) * (1.0 - weight) + weight * weight;
    return sum / of_noise / (static_cast<double>(common.rows - 2) * static_cast<double>(one.features));
}

} // namespace

std::optional<Displacement> displacement_between(const RowProfiles &one, const RowProfiles &other,
                                                 std::size_t least) {
    least = std::max<std::size_t>(least, 4); // of which the inner ones are interpolated
    if (one.features != other.features || one.features == 0 || std::min(one.rows, other.rows) < least)
        return {};
    const Sums of_one(one), of_other(other);
    Match best;
    const long last = static_cast<long>(one.rows - least), first = -static_cast<long>(other.rows - least);
    for (long shift = first; shift <= last; shift++) {
        const Common common(one, other, shift);
        const double difference =
                         squared_difference(one.row(common.first_of_one), other.row(common.first_of_other),
                                            common.rows * one.features),
                     deviation = of_one.deviation(common.first_of_one, common.rows) +
                                 of_other.deviation(common.first_of_other, common.rows);
        if (!(deviation > 0.0))
            continue;
        const double ratio = difference / deviation,
                     weight = -std::log(std::max(ratio, 1e-12)) * std::sqrt(static_cast<double>(common.rows));
        if (weight > best.weight)
            best = {shift, 1.0 - ratio, weight};
    }
    if (!(best.likeness >= least_likeness))
        return {};
    // Values for parts of a row, of which the least and those beside it make a parabola.
    const Common common(one, other, best.shift);
    constexpr int steps = 20;
    std::vector<double> values;
    for (int i = -steps; i <= steps; i++)
        values.push_back(difference_at(one, other, common, static_cast<double>(i) / steps));
    const auto lowest = std::clamp<std::ptrdiff_t>(
        std::min_element(values.begin(), values.end()) - values.begin(), 1, 2 * steps - 1);
    const auto at = static_cast<std::size_t>(lowest);
    const double step = 1.0 / steps,
                 part = step * (static_cast<double>(lowest) - steps +
                                Parabola(values[at - 1], values[at], values[at + 1]).vertex);
    // From the bend over a whole row, where noise counts less.
    const double bend = Parabola(values.front(), values[steps], values.back()).bend;
    const double samples = static_cast<double>((common.rows - 2) * one.features);
    const double uncertainty =
        bend > 0.0 ? std::max(std::sqrt(2.0 * values[at] / bend / samples), least_uncertain) : HUGE_VAL;
    if (uncertainty > most_uncertain)
        return {};
    return Displacement{static_cast<double>(best.shift) + part, uncertainty, best.likeness};
}

} // namespace tomo::reconstruction
