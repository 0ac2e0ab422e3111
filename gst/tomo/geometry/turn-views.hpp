// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The views of an object that turns about an axis, in any arrangement of source and detector.
#pragma once

#include <gst/tomo/geometry/arrangement.hpp>
#include <gst/tomo/geometry/view-angles.hpp>

namespace tomo {

// Properties that describe the turn. Values that are not set come from the scan or are assumed.
struct GivenTurn {
    PerView angles{"axis-angle-z", {}};  // a list has all angles, one value is added to all
    std::optional<double> overall_angle; // that the views cover
    std::optional<double> step;          // from view to view
};

// How angles tell the directions of rays.
enum class TurnKind {
    half,    // a parallel beam across the axis, which sees the same half a turn later
    whole,   // any other beam
    unknown, // more than the angle changes from view to view
};

// Of a turn in which nothing but the angle changes.
GST_TOMO_API TurnKind turn_kind_of(const Arrangement &arrangement);

struct GST_TOMO_API TurnViews {
    ViewAngles views;
    std::string warning; // about angles that can't be right or leave out a part of the turn; else empty
    std::vector<double> weights; // of a full set of rays: their sum is pi
    double covered = 0.0;        // radians of the turn, or of half of it, that the views cover
};

// The angles of `number` views, of which the first is the one of number `first` in the scan. A list of angles
// comes first, then the overall angle, then the step, then the scan. Without any, the views are taken for a
// full turn. Throws Error where numbers do not fit, or no slice can be made from the angles.
//
// Weights: see projection_weights(). Rays that come once, because a cone beam goes round less than a full
// turn, count more (redundancy weights tell rays that come twice, see RedundantRays): the sum of all weights
// is pi. With an overall angle, each weight is its magnitude over the number of views.
GST_TOMO_API TurnViews resolve_turn(const GivenTurn &given, const Scan &scan, std::uint64_t first,
                                    std::size_t number, TurnKind kind);

} // namespace tomo
