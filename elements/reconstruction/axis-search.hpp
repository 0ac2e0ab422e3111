// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where the rotation axis is, from rows of a sinogram that mirror each other.
#pragma once

#include <gst/tomo/cl.hpp>

#include <vector>

namespace tomo {

struct MirroredRows {
    cl_uint first, second;
};

// Rows whose views are as close to half a turn apart as any, at most `most` of them, spread evenly; none
// where no two views are that within about a step.
std::vector<MirroredRows> mirrored_rows(const std::vector<double> &angles, std::size_t most);

// The axis, in edge coordinates of `width` columns, from two numbers for each sum of the columns that are
// compared, 0 to 2 width - 2: half the variance of the difference of the rows' overlap, and the variance of
// the rows there. NaN where rows have no structure.
double axis_of(const cl_float2 *variances, unsigned width);

} // namespace tomo
