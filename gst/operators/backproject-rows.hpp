// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/geometry/slice-region.hpp>

#include <cstdint>
#include <vector>

namespace tomo {

// Positions of a slice's pixels in one row of a sinogram: `Row` of kernels/backproject-row.h, which has the
// formula and the reason for fixed point.
struct BackprojectRow {
    std::int64_t origin;         // sample at the region's first pixel, fixed point with 32 fractional bits
    std::int64_t step_x, step_y; // change per pixel, also fixed point
    float cosine, sine;
    float near_origin; // detector coordinate of the region's first pixel
    float weight;
};
static_assert(sizeof(BackprojectRow) == 40, "the device reads this layout");

// The table for a region of a slice. `axis` is the rotation axis in edge coordinates: the middle of a
// detector of 2048 columns is 1024; `axis_in_slice` is where it lies in the slice, along both directions.
// Throws Error if the region lies so far away (2^30 pixels) that positions do not fit into the fixed point
// numbers, or if the axis is not finite.
GST_TOMO_API std::vector<BackprojectRow> backproject_rows(const std::vector<double> &angles,
                                                          const std::vector<double> &weights, double axis,
                                                          double axis_in_slice, const SliceRegion &slice);
inline std::vector<BackprojectRow> backproject_rows(const std::vector<double> &angles,
                                                    const std::vector<double> &weights, double axis,
                                                    const SliceRegion &slice) {
    return backproject_rows(angles, weights, axis, axis, slice);
}

} // namespace tomo
