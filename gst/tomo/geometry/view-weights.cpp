// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/view-weights.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/median.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tomo {

namespace {

std::vector<double> steps_of(std::vector<double> angles) {
    std::sort(angles.begin(), angles.end());
    std::vector<double> steps;
    for (std::size_t i = 1; i < angles.size(); i++)
        steps.push_back(angles[i] - angles[i - 1]);
    return steps;
}

// Whether the projections are evenly spread over one period or two. The step is the mean of all
// steps: the angles' jitter counts in it only once, whereas that of a median grows with the number of
// projections.
bool is_even_turn(const std::vector<double> &angles, double period) {
    if (angles.size() < 2)
        return true;
    const auto steps = steps_of(angles);
    const double step = std::accumulate(steps.begin(), steps.end(), 0.0) / steps.size();
    for (const double other : steps)
        if (!(std::abs(other - step) <= 0.05 * step))
            return false;
    const double range = angles.size() * step;
    return std::abs(range - period) <= step / 2 || std::abs(range - 2 * period) <= step / 2;
}

// Projections that look in the same direction.
struct Direction {
    std::size_t first, count; // among the sorted angles
    double begin, end;        // of their angles
};

// Directions that are no wider than `same`, of sorted angles within a period.
std::vector<Direction> directions_of(const std::vector<double> &sorted, double same) {
    std::vector<Direction> directions;
    for (std::size_t k = 0; k < sorted.size(); k++) {
        if (directions.empty() || sorted[k] - directions.back().begin > same)
            directions.push_back({k, 0, sorted[k], sorted[k]});
        directions.back().count++;
        directions.back().end = sorted[k];
    }
    return directions;
}

// The gap behind each direction; the last one's goes round to the first.
std::vector<double> gaps_of(const std::vector<Direction> &directions, double period) {
    std::vector<double> gaps;
    for (std::size_t d = 0; d + 1 < directions.size(); d++)
        gaps.push_back(directions[d + 1].begin - directions[d].end);
    gaps.push_back(directions.front().begin + period - directions.back().end);
    return gaps;
}

// The step of uneven angles: the median of the gaps, unless more than three gaps would be missing wedges by
// that. Then directions come in bunches, as when a scan goes round several times and meets nearly the same
// angles again, or at random, and the fourth largest gap says how far apart neighbours can be.
double typical_gap(std::vector<double> gaps) {
    constexpr std::size_t most_wedges = 3;
    std::sort(gaps.begin(), gaps.end());
    const double step = gaps[(gaps.size() - 1) / 2];
    if (gaps.size() > most_wedges && gaps[gaps.size() - 1 - most_wedges] > 2 * step)
        return gaps[gaps.size() - 1 - most_wedges];
    return step;
}

// What to say of an angle that is far more projections' than others are, as where a scan was interrupted and
// the rest of its angles never filled in.
std::string complaint_of_repeated(std::vector<double> angles, const char *property) {
    std::sort(angles.begin(), angles.end());
    std::vector<double> counts;
    double largest = 0, most = 0;
    for (auto next = angles.begin(); next != angles.end();) {
        const auto end = std::upper_bound(next, angles.end(), *next);
        counts.push_back(static_cast<double>(end - next));
        if (counts.back() > largest)
            largest = counts.back(), most = *next;
        next = end;
    }
    constexpr double few = 4;
    if (largest <= few * lower_median(counts))
        return {};
    return text("%.0f of %zu projections have the same angle, %.6g degrees: if it was never filled in for "
                "them, leave them out, or set %s, in radians. ",
                largest, angles.size(), degrees(most), property);
}

} // namespace

ProjectionWeights projection_weights(const std::vector<double> &angles, double period, const char *property) {
    const std::size_t n = angles.size();
    if (n == 0)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    "No projection angles came, and backprojection needs at least one.");
    for (std::size_t i = 0; i < n; i++)
        if (!std::isfinite(angles[i]))
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("The angle of projection %zu is %f; a finite number of radians is needed.", i,
                             angles[i]));

    ProjectionWeights result{std::vector<double>(n, period / n), {}};
    if (is_even_turn(angles, period))
        return result;

    std::vector<double> folded(n);
    for (std::size_t i = 0; i < n; i++) {
        folded[i] = std::fmod(angles[i], period);
        if (folded[i] < 0)
            folded[i] += period;
    }
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return folded[a] < folded[b]; });

    // Open the circle at its largest gap, so that nothing that belongs together is torn apart.
    std::size_t cut = 0;
    double largest = folded[order.front()] + period - folded[order.back()];
    for (std::size_t k = 1; k < n; k++)
        if (const double gap = folded[order[k]] - folded[order[k - 1]]; gap > largest) {
            largest = gap;
            cut = k;
        }
    for (std::size_t k = 0; k < cut; k++)
        folded[order[k]] += period;
    std::rotate(order.begin(), order.begin() + cut, order.end());

    std::vector<double> sorted(n);
    std::transform(order.begin(), order.end(), sorted.begin(), [&](auto i) { return folded[i]; });

    // First what is the same beyond doubt, that is by rounding or within a hundredth of the mean step, so
    // that repeated angles don't make the step zero; then what is within a twentieth of the step.
    const double same = std::max(1e-9, 0.01 * (period - largest) / n);
    std::vector<Direction> directions = directions_of(sorted, same);
    constexpr std::size_t few = 3;
    const std::string of_all = text("All %zu projections look ", n);
    const std::string what_to_do =
        text(", going by their angles, which can't be right: set %s, in radians, or give the scan "
             "the angles at which the projections were taken.",
             property);
    if (directions.size() == 1 && n > 1)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    of_all +
                        text("in one direction, at %.6g degrees modulo %.6g",
                             degrees(std::fmod(sorted[0], period)), degrees(period)) +
                        what_to_do);
    if (directions.size() == 1)
        return result;
    const double typical = typical_gap(gaps_of(directions, period));
    directions = directions_of(sorted, std::max(same, 0.05 * typical));
    // Where a second half turn lies between the views of the first, what it left out is still no wider than
    // the scan's own step, as far as that turns the view: half turns do not.
    const double step = std::max(typical, std::abs(std::remainder(lower_median(steps_of(angles)), period)));
    const std::vector<double> gaps = gaps_of(directions, period);
    const auto is_missing = [step](double gap) { return gap > 2 * step * (1 + 1e-6); };
    const auto side = [&](double gap) { return (is_missing(gap) ? step : gap) / 2; };

    for (std::size_t d = 0; d < directions.size(); d++) {
        const Direction &direction = directions[d];
        const double before = gaps[d > 0 ? d - 1 : gaps.size() - 1];
        const double share =
            (side(before) + direction.end - direction.begin + side(gaps[d])) / direction.count;
        for (std::size_t k = 0; k < direction.count; k++)
            result.weights[order[direction.first + k]] = share;
    }

    if (directions.size() <= few && n > directions.size()) {
        result.warning =
            of_all + text("in only %zu directions modulo %.6g degrees", directions.size(), degrees(period)) +
            what_to_do;
        return result;
    }
    result.warning = complaint_of_repeated(angles, property);
    double missing = 0, widest = 0, from = 0;
    unsigned wedges = 0;
    for (std::size_t d = 0; d < gaps.size(); d++)
        if (is_missing(gaps[d])) {
            wedges++;
            missing += gaps[d] - step;
            if (gaps[d] > widest) {
                widest = gaps[d];
                from = directions[d].end;
            }
        }
    if (wedges > 0)
        result.warning += text(
            "The projections leave out %.4g of %.6g degrees (%u %s; the widest from %.4g to %.4g degrees, "
            "where the step is %.4g), so slices lack what those views would show. If they should "
            "not, check the angles; they are in radians.",
            degrees(missing), degrees(period), wedges, wedges == 1 ? "gap" : "gaps", degrees(from),
            degrees(from + widest), degrees(step));
    return result;
}

} // namespace tomo
