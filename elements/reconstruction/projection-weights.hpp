// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What backprojection needs to know of each projection; plain C++ without a device.
#pragma once

#include <cstdint>
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
ProjectionWeights projection_weights(const std::vector<double> &angles);

// Where the pixels of a slice lie in one row of a sinogram: `Row` of kernels/backproject.cl, which has the
// formula and the reason for fixed point.
struct BackprojectRow {
    std::int64_t origin;         // sample at the region's first pixel, 32 bits behind the point
    std::int64_t step_x, step_y; // change per pixel, likewise
    float cosine, sine;
    float near_origin; // detector coordinate of the region's first pixel
    float weight;
};
static_assert(sizeof(BackprojectRow) == 40, "the device reads this layout");

// The table for a region of a slice. `axis` is the rotation axis in edge coordinates: the middle of a
// detector of 2048 columns is 1024. Throws Error when the region lies so far away (2^30 pixels) that
// positions leave the fixed point numbers, or when the axis isn't finite.
std::vector<BackprojectRow> backproject_rows(const std::vector<double> &angles,
                                             const std::vector<double> &weights, double axis,
                                             std::uint32_t roi_x, std::uint32_t roi_y,
                                             std::uint32_t roi_width, std::uint32_t roi_height);

} // namespace tomo
