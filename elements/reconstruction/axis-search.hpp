// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where the rotation axis is, from views of a sinogram that mirror each other; plain C++ without a device.
#pragma once

#include <gst/tomo/device/cl.hpp>

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

namespace tomo {

// One view at any angle, as the weighted sum of measured ones near it. Weights sum to one; rows that are not
// needed have the weight zero. The device reads this layout.
struct ViewBetween {
    static constexpr unsigned most_rows = 8;
    cl_uint rows[most_rows] = {};
    cl_float weights[most_rows] = {};
};

// Two views half a turn apart.
struct MirroredViews {
    ViewBetween first, second;
};

struct MirroredPairs {
    std::vector<MirroredViews> pairs;
    // Where the only pair is extrapolated, and where there is none: how far, in radians, the two measured
    // views that are nearest to half a turn apart miss it, ...
    double missing = 0.0;
    // ... and these views.
    std::optional<MirroredViews> nearest;
};

// Up to `most` pairs of views that are half a turn apart, spread evenly over the scan; `angles` in radians,
// one per row, in any order and of any range. A view's counterpart is interpolated linearly between the
// neighbours on the other side of the circle, where these are no further apart than two of the scan's steps.
// A scan that ends less than half a turn after its beginning has one pair, of which both views are
// extrapolated by half of what is missing, through views that see an edge at `width` / 2 from the axis move
// by less than a pixel, two at least. There is none where more is missing than four steps and more than moves
// that edge by eight pixels.
MirroredPairs mirrored_pairs(const std::vector<double> &angles, std::size_t most, unsigned width);

// Views at equal steps over half a turn, as close together as the measured ones: each is a measured view or
// is interpolated linearly between two that are no further apart than two of the scan's steps. Empty where
// half a turn is not covered by them.
std::vector<ViewBetween> half_turn(const std::vector<double> &angles);

// The values of a criterion, which is least at the axis.
struct AxisCurve {
    std::vector<double> axes; // edge coordinates
    std::vector<double> values;
};

struct AxisFound {
    double axis =
        std::numeric_limits<double>::quiet_NaN(); // edge coordinate; NaN where rows have no structure
    double uncertainty = std::numeric_limits<double>::quiet_NaN(); // one sigma, in pixels
    unsigned pairs = 0;                                            // of mirrored views that were compared
    AxisCurve curve;
};

// Where the axis is looked for, in edge coordinates.
struct AxisRange {
    double from, to;
    bool has(double axis) const { return axis >= from && axis <= to; }
};

// The axis of `pairs` pairs of rows of `width` samples.
//
// `variances` has for each pair 2 width - 1 times two numbers, one for each sum of the columns that are
// compared: half the variance of the difference of the rows' overlap, and the variance of the rows there.
// `rows` has the rows themselves, first and second one of each pair.
AxisFound axis_of(const cl_float2 *variances, const float *rows, std::size_t pairs, unsigned width,
                  const AxisRange &range);

// The same where the axis is known to about a pixel.
AxisFound axis_near(double axis, const float *rows, std::size_t pairs, unsigned width);

// The vertex of the parabola through the values around the least one. Less than three values, or a least one
// at an end, give the place of the least value.
double least_place(const std::vector<double> &places, const std::vector<double> &values);

} // namespace tomo
