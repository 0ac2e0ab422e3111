// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/half-turns.hpp>
#include <gst/tomo/geometry/view-weights.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace tomo {

using std::numbers::pi;

namespace {

constexpr double turn = 2.0 * pi;
constexpr double meets = 0.02;      // pixels by which places may differ that count as one
constexpr double same = 1e-3;       // of the mean step: views in one direction
constexpr double wide_gap = 4.0;    // mean steps, above which directions are missing
constexpr double most_gap = pi / 2; // above which there is no whole turn

// The directions of the views on the circle, from the first view on and in the sense of the scan.
class Circle {
  public:
    explicit Circle(const std::vector<double> &angles)
        : mean_step_(turn / static_cast<double>(angles.size())) {
        const double sense = angles.back() < angles.front() ? -1.0 : 1.0;
        for (const double angle : angles) {
            double turned = std::fmod(sense * (angle - angles.front()), turn);
            if (turned < 0.0)
                turned += turn;
            turned_.push_back(turn - turned < same * mean_step_ ? 0.0 : turned);
        }
        order_.resize(angles.size());
        std::iota(order_.begin(), order_.end(), 0u);
        std::stable_sort(order_.begin(), order_.end(),
                         [&](auto a, auto b) { return turned_[a] < turned_[b]; });
    }

    double mean_step() const { return mean_step_; }
    double turned(std::size_t view) const { return turned_[view]; }

    double widest_gap() const {
        double widest = turned_[order_.front()] + turn - turned_[order_.back()];
        for (std::size_t k = 1; k < order_.size(); k++)
            widest = std::max(widest, turned_[order_[k]] - turned_[order_[k - 1]]);
        return widest;
    }

    struct Around {
        unsigned before, after;
        double to_before, to_after; // radians
    };
    Around around(double direction) const {
        direction = std::fmod(direction, turn);
        const auto next = std::upper_bound(order_.begin(), order_.end(), direction,
                                           [&](double d, unsigned view) { return d < turned_[view]; });
        const unsigned after = next == order_.end() ? order_.front() : *next,
                       before = next == order_.begin() ? order_.back() : *std::prev(next);
        const auto distance = [](double way) { return way < 0.0 ? way + turn : way; };
        return {before, after, distance(direction - turned_[before]), distance(turned_[after] - direction)};
    }

    // The views of the first half turn, each direction once, in the order of the scan.
    std::vector<unsigned> first_half() const {
        std::vector<unsigned> views;
        double last = -turn;
        for (const auto view : order_) {
            if (turned_[view] >= pi - same * mean_step_)
                break;
            if (turned_[view] - last > same * mean_step_)
                views.push_back(view), last = turned_[view];
        }
        std::sort(views.begin(), views.end());
        return views;
    }

  private:
    const double mean_step_;
    std::vector<double> turned_;
    std::vector<unsigned> order_;
};

HalfTurns join(const Circle &circle, const std::vector<double> &angles, double reach) {
    HalfTurns turns;
    turns.is_joined = true;
    std::vector<bool> is_used(angles.size(), false);
    for (const auto view : circle.first_half()) {
        const auto around = circle.around(circle.turned(view) + pi);
        HalfTurns::Row row{view, around.before, around.after, 0.0f};
        const double gap = around.to_before + around.to_after;
        if (around.to_before * reach <= meets)
            row.after = row.before;
        else if (around.to_after * reach <= meets)
            row.before = row.after;
        else
            row.value = static_cast<float>(around.to_before / gap);
        is_used[row.own] = is_used[row.before] = is_used[row.after] = true;
        turns.angles.push_back(angles[view]);
        turns.rows.push_back(row);
    }
    turns.left_out = static_cast<std::size_t>(std::count(is_used.begin(), is_used.end(), false));
    return turns;
}

// Doubled angles of half a turn are those of a whole one, so that the same rules about even and repeated
// views and about gaps hold for both.
HalfTurns weigh(const std::vector<double> &angles) {
    std::vector<double> halved = angles;
    for (double &angle : halved)
        angle /= 2.0;
    const auto of_turn = projection_weights(halved).weights, of_half = projection_weights(angles).weights;
    HalfTurns turns;
    turns.angles = angles;
    for (unsigned view = 0; view < angles.size(); view++)
        turns.rows.push_back({view, view, view, static_cast<float>(2.0 * of_turn[view] / of_half[view])});
    return turns;
}

// Whether each view is used once and looks along the lines of another one, pixel by pixel. A last view that
// repeats the first one may be left out.
bool is_lossless(const HalfTurns &turns, const Axis &axis, std::size_t views) {
    const double twice = 2.0 * axis.position;
    return std::abs(twice - std::round(twice)) <= meets && turns.left_out <= 1 &&
           2 * turns.rows.size() + turns.left_out == views &&
           std::all_of(turns.rows.begin(), turns.rows.end(),
                       [](const auto &row) { return row.before == row.after; });
}

} // namespace

double ExtendedField::half_transition() const { return std::max((overlap - 1.0) / 2.0, 0.5); }

ExtendedField extended_field(double axis, unsigned columns) {
    constexpr double rounding = 1e-6; // of a column
    ExtendedField field;
    field.ends_at_right = axis >= columns / 2.0;
    field.overlap = 2.0 * std::min(axis, columns - axis);
    const auto added =
        static_cast<unsigned>(std::max(std::ceil(std::abs(2.0 * axis - columns) - rounding), 0.0));
    field.left = field.ends_at_right ? 0 : added;
    field.columns = columns + added;
    return field;
}

HalfTurns half_turns(const std::vector<double> &angles, const Axis &axis, HalfTurnMethod method) {
    const auto refuse = [&](double covered) {
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("the %zu views cover %.4g of 360 degrees; wanted a whole turn, half of which sees the "
                 "sample on one side of the axis, and half on the other",
                 angles.size(), degrees(covered)));
    };
    if (angles.size() < 2)
        refuse(0.0);
    for (std::size_t i = 0; i < angles.size(); i++)
        if (!std::isfinite(angles[i]))
            throw Error(GST_STREAM_ERROR_FORMAT, text("the angle of view %zu is %f", i, angles[i]));
    const Circle circle(angles);
    const double gap = circle.widest_gap();
    if (gap > std::max(most_gap, 1.5 * circle.mean_step()))
        refuse(turn - gap);
    const double reach = std::max(axis.position, axis.columns - axis.position);
    HalfTurns turns;
    if (method != HalfTurnMethod::weigh)
        turns = join(circle, angles, reach);
    if (method == HalfTurnMethod::weigh ||
        (method == HalfTurnMethod::automatic && !is_lossless(turns, axis, angles.size())))
        turns = weigh(angles);
    turns.widest_gap = gap > wide_gap * circle.mean_step() ? gap : 0.0;
    return turns;
}

std::string HalfTurns::warning() const {
    std::string warning;
    if (widest_gap > 0.0)
        warning = text("a gap of %.4g degrees lies between the views of the whole turn: slices lack their "
                       "directions",
                       degrees(widest_gap));
    if (left_out > 1)
        warning += text("%s%zu views are left out: each direction of the first half turn is taken once. "
                        "method=weigh takes all",
                        warning.empty() ? "" : ". And ", left_out);
    return warning;
}

} // namespace tomo
