// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/general-projector.hpp>
#include <gst/tomo/compute/steps.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <bit>
#include <limits>

namespace tomo {

namespace {

constexpr const char *lines_file = "general-project-lines.cl";
constexpr unsigned border = 2; // voxels around the volume, as in the kernel

// How a work-group makes columns of rays; see kernels/general-project-lines.cl.
struct LineShape {
    static constexpr unsigned lanes = 32, least_rows = 8, most_rows = 16; // work-items
    static constexpr unsigned columns_of_row = 4;
    static constexpr unsigned stage = 8; // planes in which places are computed at once
    static constexpr unsigned pack = 32, pack_rows = 8;
    static constexpr std::size_t memory = most_rows * columns_of_row * (std::size_t{stage} * 32 + 64);
    static_assert(stage * columns_of_row % lanes == 0);

    unsigned rows, tile_columns, tile_views, steps;
    unsigned tile_rays() const { return lanes * steps; }
};

LineShape line_shape(const Device &device, unsigned rays, unsigned views, bool has_quads) {
    using S = LineShape;
    const unsigned rows = device.max_work_group() >= S::lanes * S::most_rows ? S::most_rows : S::least_rows;
    const unsigned columns = rows * S::columns_of_row, most_steps = has_quads ? 2 : 4;
    const unsigned tile_views = std::min(std::bit_ceil(views), columns / 8);
    const unsigned parts = (rays + S::lanes - 1) / S::lanes;
    return {rows, columns / tile_views, tile_views, parts > 2 ? most_steps : std::min(parts, 2u)};
}

} // namespace

std::uint64_t GeneralProjector::line_texels() const {
    return (grid_.x.count + 2ull * border) * (grid_.y.count + 2 * border) * (grid_.z.count + 2 * border);
}

bool GeneralProjector::can_project_lines() const {
    const Device &device = *compute_.device();
    return is_upright_ && device.prefers_local_memory() &&
           device.max_work_group() >= LineShape::lanes * LineShape::least_rows &&
           device.local_memory() >= LineShape::memory &&
           line_texels() <= std::numeric_limits<std::uint32_t>::max();
}

// Whether four turns of the volume find place.
bool GeneralProjector::fits_quads() const {
    const Device &device = *compute_.device();
    const std::uint64_t bytes = line_texels() * 4 * sizeof(float);
    const std::uint64_t left =
        device.memory_limit() - std::min<std::uint64_t>(device.memory_in_use(), device.memory_limit());
    return bytes <= device.max_allocation() && bytes <= left / 8 * 7;
}

void GeneralProjector::project_lines(const Array &volume, unsigned first, Array &projections) {
    const auto views = static_cast<unsigned>(projections.info().samples() / rays_of_view());
    const bool has_quads = quads_.is_complete() && views == views_ && fits_quads();
    const unsigned parts = has_quads ? 4 : 1, count = views / parts;
    const cl_uint width = grid_.x.count, height = grid_.y.count, depth = grid_.z.count;
    const auto shape = line_shape(*compute_.device(), rows_, count, has_quads);
    const std::string options = has_quads ? "-D LINES -D QUADS" : "-D LINES";

    Array lines = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, std::uint64_t{parts} * (depth + 2 * border),
                                     width + 2 * border, height + 2 * border});
    constexpr unsigned pack = LineShape::pack, down = LineShape::pack_rows;
    const auto pack_lines =
        compute_.kernel("pack_lines", options + text(" -D PACK_ROWS=%u", down), lines_file);
    const auto tiles = [](unsigned count, unsigned tile) { return std::size_t{(count + tile - 1) / tile}; };
    for (cl_uint quarters = 0; quarters < parts; quarters++) {
        const unsigned side = quarters % 2 ? height : width, other = quarters % 2 ? width : height;
        WorkSize size(tiles(side + 2 * border, pack) * pack, tiles(depth + 2 * border, pack) * down,
                      other + 2 * border);
        compute_.launch(pack_lines, size.groups(pack, down), volume, ReadWriteBareBuffer{lines}, quarters,
                        width, height, depth);
    }

    const auto project = compute_.kernel(
        "project_lines",
        options + text(" -D ROWS=%u -D TILE_COLUMNS=%u -D TILE_VIEWS=%u -D STEPS=%u -D STAGE=%u", shape.rows,
                       shape.tile_columns, shape.tile_views, shape.steps, shape.stage),
        lines_file);
    const Part at_once = part(double(rays_of_view()) * parts * std::max(width, height), rows_);
    const unsigned views_step = tiles(at_once.views, shape.tile_views) * shape.tile_views;
    const unsigned rows_step = tiles(at_once.number, shape.tile_rays()) * shape.tile_rays();
    Steps steps(compute_);
    for (unsigned done = 0; done < count; done += views_step)
        for (unsigned row = 0; row < rows_; row += rows_step) {
            WorkSize size(tiles(columns_, shape.tile_columns) * shape.lanes,
                          tiles(std::min(rows_step, rows_ - row), shape.tile_rays()) * shape.rows,
                          tiles(std::min(views_step, count - done), shape.tile_views));
            compute_.launch(project, size.groups(shape.lanes, shape.rows), BareBuffer{lines},
                            ReadWrite{projections}, BareBuffer{geometry_}, width, height, depth,
                            cl_uint{columns_}, cl_uint{rows_}, cl_uint{first}, cl_uint{done}, cl_uint{row},
                            cl_uint{count}, cl_uint{quads_.is_backwards()});
            steps.done(projections);
        }
}

} // namespace tomo
