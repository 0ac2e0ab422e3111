// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How much each projection counts.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <string>
#include <vector>

namespace tomo {

struct ProjectionWeights {
    std::vector<double> weights; // one per angle, in the order of the angles
    std::string warning;         // for the user; empty when the angles cover half a turn
};

// The share of the integral over half a turn that each projection stands for. Angles are in radians, in any
// order and of any range; they need not be even, and may repeat.
//
// n steps that are equal within 5 % and make half a turn or a full one, to half a step: pi / n each.
// Otherwise angles are folded modulo pi, where a parallel projection and its mirror image coincide, and a
// projection's weight is half the distance to both neighbours on that circle; angles that coincide share.
// A gap above two steps is a missing wedge: it isn't spread over the projections beside it, which get half a
// step on that side, and there is a warning. (Up to three; more gaps than that are taken for angles that come
// in bunches or at random.)
//
// Angles that say nothing: several projections of one and the same direction modulo pi are an Error, since no
// slice comes of that, and more of them than two or three directions a warning.
//
// Throws Error when there is no angle or one isn't finite.
GST_TOMO_API ProjectionWeights projection_weights(const std::vector<double> &angles);

} // namespace tomo
