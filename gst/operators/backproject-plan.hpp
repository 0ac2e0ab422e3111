// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Choice of the kernel among backproject-*.cl for a device, with its options and sizes.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tomo {

class Device;

// Sampling of rows; `joseph` is the transpose of the projection by Joseph's method.
enum class BackprojectMode { linear, texture, nearest, joseph };
enum class Precision { single, half };

// The facts on which the choice depends.
struct BackprojectDevice {
    std::string name;
    bool is_cpu;
    bool has_images;
    bool has_tensor_cores;
    unsigned compute_units;
    std::size_t local_memory;   // bytes per work-group
    std::size_t max_work_group; // work-items
    unsigned most_lanes = 16;   // slices side by side for which a CPU has memory
};

GST_TOMO_API BackprojectDevice backproject_device(const Device &device);

// One launch makes `depth` slices from as many sinograms. Arguments of backproject_linear,
// backproject_nearest and backproject_joseph, besides the option -D sinograms_T of the sinogram's type:
//     IN(sinograms)  OUT(float, out)  buffer of BackprojectRow
//     uint width, projections, depth, roi_width, roi_height
// On CPUs, where several slices lie side by side, the sinograms come as vectors `packed` of a set of `slices`
// planes, with packed_width() columns. A kernel makes them, and both have the number of the set as a last
// argument:
//     backproject_pack_lanes (global packed_width / 16 x projections):
//                           IN(sinograms)  buffer `packed`  buffer of BackprojectRow
//                           uint width, projections, depth, set
// Texture reads an image of width x projections (one channel, float), so one launch makes one plane:
//     backproject_fill_image (global width x projections, no local size):  IN(sinograms)  image  uint plane
//     backproject_texture:  image  OUT(float, out)  buffer of BackprojectRow
//                           uint projections, plane, roi_width, roi_height
// Precision::half takes its samples from an array `packed` of 32 bit words: 32 words for each of `pairs` x
// projections x global[2]. Two kernels make it:
//     backproject_peak (a work-group of 256 for each row; `peak` must be 0 before):
//                           IN(sinograms)  OUT(uint, peak)  buffer of BackprojectRow
//                           uint width, projections
//     backproject_pack (global width x 4 projections x global[2], work-groups of 64 x 4):
//                           IN(sinograms)  OUT(uint, packed)  buffer `peak`  buffer of BackprojectRow
//                           uint width, projections, depth, pairs
//     backproject_tensor:   buffer `packed`  OUT(float, out)  buffer `peak`  buffer of BackprojectRow
//                           uint pairs, projections, depth, roi_width, roi_height
struct BackprojectPlan {
    std::string file, kernel;
    std::string options;      // for the compiler
    unsigned slices;          // that share coordinates in a work-item; batches should be a multiple of this
    std::size_t local_memory; // bytes that the kernel declares
    unsigned lane_border;     // columns around a row of `packed` lanes; 0: the kernel takes sinograms
    std::array<std::size_t, 3> global, local;

    // Columns of `packed` lanes.
    GST_TOMO_API std::uint64_t packed_width(std::uint32_t columns) const;
};

// Throws Error if the device does not support the mode.
GST_TOMO_API BackprojectPlan plan_backproject(BackprojectMode mode, Precision precision,
                                              const BackprojectDevice &device, std::uint32_t depth,
                                              std::uint32_t roi_width, std::uint32_t roi_height);

// The plan of plan_backproject() first, then alternatives that may be faster on some devices. Their results
// differ by rounding.
GST_TOMO_API std::vector<BackprojectPlan> backproject_variants(BackprojectMode mode, Precision precision,
                                                               const BackprojectDevice &device,
                                                               std::uint32_t depth, std::uint32_t roi_width,
                                                               std::uint32_t roi_height);

// Number of sinograms of `depth` planes that keep the device busy with one launch.
GST_TOMO_API unsigned backproject_batch(BackprojectMode mode, Precision precision,
                                        const BackprojectDevice &device, std::uint32_t depth,
                                        std::uint32_t roi_width, std::uint32_t roi_height);

} // namespace tomo
