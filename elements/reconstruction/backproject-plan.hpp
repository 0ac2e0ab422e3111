// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which variant of kernels/backproject.cl a device runs, and how.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tomo {

enum class BackprojectMode { linear, texture, nearest };
enum class Precision { single, half };

// What the choice depends on.
struct BackprojectDevice {
    std::string name;
    bool is_cpu;
    bool has_images;
    bool has_tensor_cores;
    unsigned compute_units;
    std::size_t local_memory;   // bytes per work-group
    std::size_t max_work_group; // work-items
};

// One launch makes `depth` slices from as many sinograms. Arguments of backproject_linear and
// backproject_nearest, besides the option -D in_T of the sinogram's type:
//     IN(in)  OUT(float, out)  buffer of BackprojectRow
//     uint width, projections, depth, roi_width, roi_height
// Texture reads an image of width x projections (one channel, float), so it makes one plane per launch:
//     backproject_fill_image (global width x projections, no local size):  IN(in)  image  uint plane
//     backproject_texture:  image  OUT(float, out)  buffer of BackprojectRow
//                           uint projections, plane, roi_width, roi_height
// Precision::half takes its samples from an array of 32 bit words, `pairs` x projections x `sets` of 32 words
// each, that is made by
//     backproject_peak (a work-group of 256 for each row):  IN(in)  OUT(uint, peak)  buffer of BackprojectRow
//                           uint width, projections; `peak` must be 0 before
//     backproject_pack (pack_global, pack_local):  IN(in)  OUT(uint, packed)  buffer `peak`  buffer of
//     BackprojectRow
//                           uint width, projections, depth, pairs
//     backproject_tensor:   buffer `packed`  OUT(float, out)  buffer `peak`  buffer of BackprojectRow
//                           uint pairs, projections, depth, roi_width, roi_height
struct BackprojectPlan {
    std::string kernel;
    std::string options; // for the compiler
    unsigned slices;     // that share coordinates in a work-item: batches of a multiple of this waste nothing
    std::size_t local_memory; // bytes that the kernel declares
    std::array<std::size_t, 3> global, local;
};

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

// Throws Error where the device can't do the mode.
BackprojectPlan plan_backproject(BackprojectMode mode, Precision precision, const BackprojectDevice &device,
                                 std::uint32_t depth, std::uint32_t roi_width, std::uint32_t roi_height);

// The same and other ways to compute it, for devices that like another one better. Their numbers differ by
// rounding.
std::vector<BackprojectPlan> backproject_variants(BackprojectMode mode, Precision precision,
                                                  const BackprojectDevice &device, std::uint32_t depth,
                                                  std::uint32_t roi_width, std::uint32_t roi_height);

// So many sinograms of `depth` planes keep the device busy with one launch.
unsigned backproject_batch(BackprojectMode mode, Precision precision, const BackprojectDevice &device,
                           std::uint32_t depth, std::uint32_t roi_width, std::uint32_t roi_height);

} // namespace tomo
