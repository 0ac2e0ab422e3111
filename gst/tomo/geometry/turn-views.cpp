// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/turn-views.hpp>
#include <gst/tomo/geometry/view-weights.hpp>
#include <gst/tomo/support/error.hpp>

#include <cmath>
#include <numeric>

namespace tomo {

namespace {

using std::numbers::pi;

ViewAngles of_scan(const Scan &scan, std::uint64_t first, std::size_t number, double offset,
                   const char *property) {
    if (scan.angles.size() < first + number)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("the scan has %zu angles, but projections %" G_GUINT64_FORMAT
                         " to %" G_GUINT64_FORMAT " came, counted from 0: set %s, in radians",
                         scan.angles.size(), first, first + number - 1, property));
    Scan part;
    part.angles.assign(scan.angles.begin() + static_cast<std::ptrdiff_t>(first),
                       scan.angles.begin() + static_cast<std::ptrdiff_t>(first + number));
    return resolve_angles({}, part, number, offset);
}

ViewAngles angles_of(const GivenTurn &given, const Scan &scan, std::uint64_t first, std::size_t number) {
    ViewAngles views;
    if (given.angles.is_list()) {
        given.angles.check(number);
        views.origin = Origin::property;
        for (std::size_t i = 0; i < number; i++)
            views.angles.push_back(given.angles.at(i));
        views.sentence = text("%zu views (%s)", number, given.angles.name());
        return views;
    }
    const double offset = given.angles.at(0, 0.0);
    if (given.step && given.overall_angle)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    "overall-angle and angle-step both tell the angles: set one of them");
    if (given.step)
        return resolve_angles(given.step, scan, number, offset);
    if (!given.overall_angle && !scan.angles.empty())
        return of_scan(scan, first, number, offset, given.angles.name());
    views = resolve_angles(given.overall_angle.value_or(2.0 * pi) / static_cast<double>(number), {}, number,
                           offset);
    const double whole = degrees(given.overall_angle.value_or(2.0 * pi));
    views.sentence = text("%zu views over %.6g degrees (%s)", number, whole,
                          given.overall_angle ? "overall-angle" : "assumed");
    if (!given.overall_angle) {
        views.origin = Origin::assumed;
        views.assumption = text("no angles came: %zu views were taken for a full turn; set overall-angle or "
                                "%s in radians, or give the scan its angles",
                                number, given.angles.name());
    }
    return views;
}

} // namespace

TurnKind turn_kind_of(const Arrangement &arrangement) {
    // A tilt of pi/2 minus the same in single precision is none.
    return arrangement.is_parallel() && std::abs(arrangement.axis_angle.x) < 1e-6 ? TurnKind::half
                                                                                  : TurnKind::whole;
}

TurnViews resolve_turn(const GivenTurn &given, const Scan &scan, std::uint64_t first, std::size_t number,
                       TurnKind kind) {
    TurnViews turn{angles_of(given, scan, first, number), {}, {}, pi};
    if (given.overall_angle) {
        turn.covered = std::abs(*given.overall_angle);
        turn.weights.assign(number, turn.covered / static_cast<double>(number));
        return turn;
    }
    if (kind == TurnKind::unknown) {
        turn.weights.assign(number, pi / static_cast<double>(number));
        return turn;
    }
    auto weights =
        projection_weights(turn.views.angles, kind == TurnKind::half ? pi : 2.0 * pi, given.angles.name());
    turn.weights = std::move(weights.weights);
    turn.covered = std::accumulate(turn.weights.begin(), turn.weights.end(), 0.0);
    // Half a turn and a fan more have all rays of a cone beam.
    if (kind == TurnKind::half || turn.covered < pi)
        turn.warning = std::move(weights.warning);
    if (kind == TurnKind::whole)
        for (double &weight : turn.weights)
            weight *= pi / turn.covered;
    return turn;
}

} // namespace tomo
