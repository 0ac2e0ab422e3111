// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/redundant-rays.hpp>
#include <gst/tomo/geometry/view-weights.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tomo {

namespace {

using std::numbers::pi;

double folded(double angle) {
    const double rest = std::fmod(angle, 2.0 * pi);
    return rest < 0.0 ? rest + 2.0 * pi : rest;
}

// The first angle behind the largest gap of the circle.
double begin_of(std::vector<double> angles) {
    for (double &angle : angles)
        angle = folded(angle);
    std::sort(angles.begin(), angles.end());
    double begin = angles.front(), largest = angles.front() + 2.0 * pi - angles.back();
    for (std::size_t i = 1; i < angles.size(); i++)
        if (const double gap = angles[i] - angles[i - 1]; gap > largest) {
            largest = gap;
            begin = angles[i];
        }
    return begin;
}

// Of a full turn.
double covered_by(const std::vector<double> &angles) {
    if (angles.size() < 2)
        return 2.0 * pi;
    const auto weights = projection_weights(angles, 2.0 * pi).weights;
    return std::accumulate(weights.begin(), weights.end(), 0.0);
}

bool is_whole(double covered, std::size_t views) {
    return covered >= 2.0 * pi * (1.0 - 0.75 / static_cast<double>(std::max<std::size_t>(views, 2)));
}

} // namespace

double Fan::angle_at(double column) const {
    return std::isinf(source_detector) ? column - centre : std::atan((column - centre) / source_detector);
}

RedundantRays::Mode RedundantRays::mode_for(const Fan &fan, const std::vector<double> &angles) {
    if (!is_whole(covered_by(angles), angles.size()))
        return std::isinf(fan.source_detector) ? Mode::none : Mode::short_scan;
    // Beside a detector that is nearly in the middle nothing is seen.
    constexpr double noticeable = 0.02;
    return std::abs(fan.right() - fan.left()) > noticeable * fan.columns ? Mode::offset : Mode::none;
}

RedundantRays::RedundantRays(Mode mode, const Fan &fan, std::vector<double> angles)
    : mode_(mode), fan_(fan), angles_(std::move(angles)), covered_(covered_by(angles_)) {
    const bool whole = is_whole(covered_, angles_.size());
    if (mode == Mode::none)
        return;
    if (!(fan.left() > 0.0 && fan.right() > 0.0))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("center-position-x is %g, beside the %u columns; wanted an axis that they see",
                         fan.centre, fan.columns));
    if (mode == Mode::offset) {
        if (!whole)
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("the views cover %.4g degrees, but a detector to one side of the axis needs a full turn",
                     degrees(covered_)));
        return;
    }
    if (std::isinf(fan.source_detector))
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            "short-scan weights are for cone and fan beams: set source-distance (the backprojection weights "
            "the views of a parallel beam by itself)");
    const double half_fan = std::max(fan.angle_at(fan.columns), -fan.angle_at(0.0));
    const double needed = pi + 2.0 * half_fan;
    const double step = covered_ / static_cast<double>(angles_.size());
    if (covered_ < needed - step)
        warning_ =
            text("the views cover %.4g degrees, but half a turn and the fan of the beam are %.4g: rays are "
                 "missing that nothing replaces",
                 degrees(covered_), degrees(needed));
    first_ = begin_of(angles_) - step / 2.0;
    excess_ = std::max((covered_ - pi) / 2.0, half_fan);
}

// `turned` since the scan began. The ray at (t, g) comes back at (t + pi + 2 g, -g).
double RedundantRays::parker(double turned, double angle) const {
    const auto smooth = [](double share) {
        const double s = std::sin(pi / 4.0 * share);
        return s * s;
    };
    const double end = pi + 2.0 * excess_;
    if (turned < 2.0 * (excess_ - angle))
        return smooth(std::max(turned, 0.0) / (excess_ - angle));
    if (turned > pi - 2.0 * angle)
        return smooth(std::max(end - turned, 0.0) / (excess_ + angle));
    return 1.0;
}

// From 0 at the edge of the narrow side, over 1/2 at the axis, to 1 where only the wide side sees.
double RedundantRays::wang(double column) const {
    const double sign = fan_.right() > fan_.left() ? 1.0 : -1.0;
    const double narrow = sign > 0.0 ? -fan_.angle_at(0.0) : fan_.angle_at(fan_.columns);
    const double share = std::clamp(sign * fan_.angle_at(column) / narrow, -1.0, 1.0);
    return 0.5 * (1.0 + std::sin(pi / 2.0 * share));
}

std::vector<float> RedundantRays::weights(std::size_t view) const {
    std::vector<float> weights(fan_.columns, 1.0f);
    if (mode_ == Mode::none)
        return weights;
    const double turned = folded(angles_[view] - first_);
    for (unsigned i = 0; i < fan_.columns; i++) {
        const double column = i + 0.5;
        const double weight = mode_ == Mode::offset ? wang(column) : parker(turned, fan_.angle_at(column));
        weights[i] = static_cast<float>(weight * covered_ / pi);
    }
    return weights;
}

} // namespace tomo
