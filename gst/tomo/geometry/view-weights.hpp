// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The weight of each projection in a reconstruction.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <numbers>
#include <string>
#include <vector>

namespace tomo {

struct ProjectionWeights {
    std::vector<double> weights; // one per angle, in the order of the angles
    std::string warning;         // for the user; empty when the angles cover the period
};

// The share of the integral over a period that each projection stands for. The period is half a turn for a
// parallel beam across the axis, where a projection and its mirror image coincide, else a full one. Angles
// are in radians, in any order and of any range; they need not be even, and may repeat.
//
// Each of n steps that are equal within 5 % and make one period or two, to half a step, has the weight
// period / n. Other angles are folded modulo the period; a projection's weight is half the distance to both
// neighbours on that circle, and angles that coincide share a weight. A gap above two steps is a missing
// wedge: the projections beside it get half a step on that side, and there is a warning. (This holds for up
// to three gaps; with more, the angles are considered to be grouped or random.)
//
// Several projections of a single direction are an Error, because no slice can be made of them.
// Many projections of only two or three directions are a warning.
//
// Throws Error when there is no angle or one isn't finite. `property` is the one that errors and warnings
// advise to set.
GST_TOMO_API ProjectionWeights projection_weights(const std::vector<double> &angles,
                                                  double period = std::numbers::pi,
                                                  const char *property = "angle-step");

} // namespace tomo
