// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/backproject-plan.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

namespace {

constexpr unsigned slices_of_tensor = 32; // in one product of matrices

std::size_t divided(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

struct Tile {
    unsigned width, height;

    // Samples of a row that the tile touches: its diagonal, the neighbour that linear interpolation takes,
    // the one that the tile's position between samples adds, one for rounding, and one that pairs of pixels
    // load without need.
    unsigned segment() const {
        return static_cast<unsigned>(std::ceil(std::hypot(width - 1.0, height - 1.0))) + 4;
    }
    std::size_t across(std::uint32_t w) const { return divided(w, width); }
    std::size_t down(std::uint32_t h) const { return divided(h, height); }
    std::string options(unsigned slices, unsigned most_lanes, unsigned staged) const {
        return text(" -D TILE_W=%u -D TILE_H=%u -D SEGMENT=%u -D STAGED=%u -D SLICES=%u -D LANES=%u", width,
                    height, segment(), staged, slices, std::min(slices, most_lanes));
    }
};

// A work-item makes a tile and holds its sums in private memory, which is the CPU's cache.
struct ItemVariant {
    Tile tile;
};
// The usual one is that of the number of slices.
constexpr ItemVariant item_variants[] = {{{64, 64}}, {{64, 32}}, {{32, 32}}, {{128, 32}}};

BackprojectPlan plan_item(const BackprojectDevice &device, std::uint32_t depth, std::uint32_t roi_width,
                          std::uint32_t roi_height, const ItemVariant *variant) {
    BackprojectPlan plan{};
    // Slices in the SIMD lanes need less time per slice than pixels in the SIMD lanes, but lanes beyond
    // `depth` are lost. Times relative to one slice, measured with AVX2.
    constexpr struct {
        unsigned slices;
        double time;
        Tile tile;
    } choices[] = {{1, 1.0, {64, 32}}, {8, 2.5, {64, 64}}, {16, 3.9, {64, 32}}};
    Tile tile{};
    double best = HUGE_VAL;
    for (const auto &choice : choices)
        if (const double time = divided(depth, choice.slices) * choice.time;
            time < best && choice.slices <= device.most_lanes) {
            best = time;
            plan.slices = choice.slices;
            tile = choice.tile;
        }
    if (variant)
        tile = variant->tile;

    // Small slices: no tile should be mostly empty and no core idle. Pixels in lanes want eight columns.
    const std::size_t planes = divided(depth, plan.slices),
                      at_once = plan.slices > 1 ? 1 : planes; // sets of lanes follow each other
    while (tile.width / 2 >= roi_width && tile.width > 8)
        tile.width /= 2;
    while (tile.height > 8 &&
           (tile.height / 2 >= roi_height ||
            tile.across(roi_width) * tile.down(roi_height) * at_once < 4 * device.compute_units))
        tile.height /= 2;

    plan.file = "backproject-item.cl";
    plan.options = tile.options(plan.slices, 16, plan.slices > 1 ? 16 : 8);
    plan.lane_border = plan.slices > 1 ? tile.segment() : 0;
    plan.global = {tile.across(roi_width), tile.down(roi_height), planes};
    plan.local = {1, 1, 1};
    plan.local_memory = 0;
    return plan;
}

// A work-group makes a tile, each work-item some pixels of one column.
struct GroupVariant {
    unsigned slices, height, pixels;
};
// The first one was the fastest on an H100. Those with fewer slices need fewer registers.
constexpr GroupVariant group_variants[] = {{8, 4, 8}, {8, 8, 8}, {8, 8, 4}, {4, 8, 8}, {4, 8, 4}, {4, 4, 8}};

// Throws Error where the device has too little local memory.
BackprojectPlan plan_group(const BackprojectDevice &device, std::uint32_t depth, std::uint32_t roi_width,
                           std::uint32_t roi_height, const GroupVariant *variant) {
    BackprojectPlan plan{};
    plan.slices = depth >= 5 ? 8 : depth >= 3 ? 4 : depth;
    unsigned group_w = 32, group_h = plan.slices == 8 ? 4 : 8, pixels = 8, staged = 8;
    if (variant) {
        plan.slices = std::min(plan.slices, variant->slices);
        group_h = variant->height;
        pixels = variant->pixels;
    }
    while (group_w * group_h > device.max_work_group)
        (group_h > 1 ? group_h : group_w) /= 2;

    const auto tile = [&] { return Tile{group_w, group_h * pixels}; };
    const auto groups = [&] {
        return tile().across(roi_width) * tile().down(roi_height) * divided(depth, plan.slices);
    };
    // The segments' positions are kept twice, five words each.
    const auto local_memory = [&](unsigned rows) {
        return rows * (tile().segment() * plan.slices + 2 * 5) * sizeof(float);
    };
    while (pixels > 1 && (groups() < 4 * device.compute_units || local_memory(staged) > device.local_memory))
        pixels /= 2;
    if (local_memory(staged) > device.local_memory)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("Backprojection needs %zu bytes of local memory, and %s has %zu; choose another device.",
                 local_memory(staged), device.name.c_str(), device.local_memory));

    // More rows at a time mean fewer barriers.
    while (staged * plan.slices < 128 && local_memory(2 * staged) <= device.local_memory)
        staged *= 2;

    // More than four slices as one vector would make work-items collide in the banks of local memory.
    plan.file = "backproject-group.cl";
    plan.options =
        text("-D GROUP_W=%u -D GROUP_H=%u", group_w, group_h) + tile().options(plan.slices, 4, staged);
    plan.global = {tile().across(roi_width) * group_w, tile().down(roi_height) * group_h,
                   divided(depth, plan.slices)};
    plan.local = {group_w, group_h, 1};
    plan.local_memory = local_memory(staged);
    return plan;
}

BackprojectPlan plan_texture(const BackprojectDevice &device, std::uint32_t roi_width,
                             std::uint32_t roi_height) {
    if (device.is_cpu || !device.has_images)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("mode=texture needs a device with an image unit, and %s has none; use mode=linear or "
                 "another device.",
                 device.name.c_str()));
    // Square groups: neighbours in both directions find their samples in the texture cache.
    std::size_t group_w = 16, group_h = 16;
    while (group_w * group_h > device.max_work_group)
        (group_h > 1 ? group_h : group_w) /= 2;
    BackprojectPlan plan{};
    plan.file = "backproject-texture.cl";
    plan.kernel = "backproject_texture";
    plan.slices = 1;
    plan.global = {divided(roi_width, group_w) * group_w, divided(roi_height, group_h) * group_h, 1};
    plan.local = {group_w, group_h, 1};
    plan.local_memory = 0;
    return plan;
}

BackprojectPlan plan_tensor(const BackprojectDevice &device, std::uint32_t depth, std::uint32_t roi_width,
                            std::uint32_t roi_height) {
    if (!device.has_tensor_cores)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("precision-mode=half needs the tensor cores of an NVIDIA GPU (compute capability 8.0 or "
                 "higher), and %s has none; use precision-mode=single or another device.",
                 device.name.c_str()));
    // What was fastest on an H100. A warp has a column of 4 x 4 blocks.
    constexpr Tile tile{32, 16};
    constexpr unsigned staged = 4, pitch = 10 * 16; // bytes for a pair of samples of all slices
    // The tile's diagonal; a block's eight samples behind it, and even numbers before.
    const unsigned pairs =
        static_cast<unsigned>(std::ceil((std::hypot(tile.width - 1.0, tile.height - 1.0) + 12) / 2));
    const std::size_t sets = divided(depth, slices_of_tensor);
    BackprojectPlan plan{};
    plan.file = "backproject-tensor.cl";
    plan.kernel = "backproject_tensor";
    plan.slices = slices_of_tensor;
    plan.options = text("-D SLICES=1 -D LANES=1 -D TILE_W=%u -D TILE_H=%u -D SEGMENT=%u -D STAGED=%u",
                        tile.width, tile.height, 2 * pairs, staged);
    plan.global = {tile.across(roi_width) * tile.width * 8, tile.down(roi_height), sets};
    plan.local = {tile.width * 8, 1, 1};
    plan.local_memory = std::size_t{staged} * pairs * pitch + staged * 36;
    return plan;
}

// Of the modes that interpolate in kernels.
BackprojectPlan plan_float(BackprojectMode mode, BackprojectPlan plan) {
    plan.kernel = "backproject_linear";
    if (mode == BackprojectMode::nearest) {
        plan.kernel = "backproject_nearest";
        plan.options += " -D BACKPROJECT_NEAREST";
    } else if (mode == BackprojectMode::joseph) {
        plan.kernel = "backproject_joseph";
        plan.options += " -D BACKPROJECT_JOSEPH";
    }
    return plan;
}

} // namespace

BackprojectDevice backproject_device(const Device &device) {
    return {device.name(),          !device.prefers_local_memory(),
            device.has_images(),    device.has_tensor_cores(),
            device.compute_units(), device.local_memory(),
            device.max_work_group()};
}

std::uint64_t BackprojectPlan::packed_width(std::uint32_t columns) const {
    return (std::uint64_t{columns} + 2 * lane_border) | 1u;
}

BackprojectPlan plan_backproject(BackprojectMode mode, Precision precision, const BackprojectDevice &device,
                                 std::uint32_t depth, std::uint32_t roi_width, std::uint32_t roi_height) {
    if (depth == 0 || roi_width == 0 || roi_height == 0)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("Backprojection into %u x %u pixels of %u slices; each must be at least 1.",
                         roi_width, roi_height, depth));
    if (precision == Precision::half) {
        if (mode != BackprojectMode::linear)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        "precision-mode=half is for mode=linear; leave one of them out");
        return plan_tensor(device, depth, roi_width, roi_height);
    }
    if (mode == BackprojectMode::texture)
        return plan_texture(device, roi_width, roi_height);
    return plan_float(mode, device.is_cpu ? plan_item(device, depth, roi_width, roi_height, nullptr)
                                          : plan_group(device, depth, roi_width, roi_height, nullptr));
}

std::vector<BackprojectPlan> backproject_variants(BackprojectMode mode, Precision precision,
                                                  const BackprojectDevice &device, std::uint32_t depth,
                                                  std::uint32_t roi_width, std::uint32_t roi_height) {
    std::vector<BackprojectPlan> plans{
        plan_backproject(mode, precision, device, depth, roi_width, roi_height)};
    if (mode == BackprojectMode::texture || precision == Precision::half)
        return plans;
    const auto add = [&](BackprojectPlan plan) {
        plan = plan_float(mode, std::move(plan));
        if (std::none_of(plans.begin(), plans.end(),
                         [&](const BackprojectPlan &known) { return known.options == plan.options; }))
            plans.push_back(std::move(plan));
    };
    if (device.is_cpu)
        for (const auto &variant : item_variants)
            add(plan_item(device, depth, roi_width, roi_height, &variant));
    else
        for (const auto &variant : group_variants)
            add(plan_group(device, depth, roi_width, roi_height, &variant));
    return plans;
}

unsigned backproject_batch(BackprojectMode mode, Precision precision, const BackprojectDevice &device,
                           std::uint32_t depth, std::uint32_t roi_width, std::uint32_t roi_height) {
    if (mode == BackprojectMode::texture)
        return 1; // a plane per launch
    if (precision == Precision::half)
        return static_cast<unsigned>(divided(slices_of_tensor, depth));
    std::size_t planes = 16; // of a CPU: one in each SIMD lane
    if (!device.is_cpu) {
        // The last of the work-groups leave the device half idle. So there are many more than run at a time,
        // about five on each unit.
        const Tile tile{32, 64};
        const std::size_t groups = tile.across(roi_width) * tile.down(roi_height);
        planes =
            std::clamp<std::size_t>(2 * divided(std::size_t{10} * 5 * device.compute_units, groups), 8, 64);
    }
    return static_cast<unsigned>(divided(planes, depth));
}

} // namespace tomo
