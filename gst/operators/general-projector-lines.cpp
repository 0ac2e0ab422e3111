// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/column-groups.hpp>
#include <gst/operators/general-projector.hpp>
#include <gst/tomo/compute/steps.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace tomo {

namespace {

constexpr const char *lines_file = "general-project-lines.cl";
constexpr unsigned border = 2;          // voxels around the volume, as in the kernel
constexpr unsigned lanes_that_pay = 16; // of 32: rays, or voxels, along z
constexpr unsigned path_samples = 8 * sizeof(double) / sizeof(float); // of a detector column, or more

// How a work-group makes columns of rays; see kernels/general-project-lines.cl.
struct LineShape {
    static constexpr unsigned lanes = ColumnGroups::lanes;
    static constexpr unsigned columns_of_row = 4;
    // Planes in which places are computed at once, by as many rows of work-items as there may be. Texels of
    // four are read faster by half as many: 5 % on an H200.
    static constexpr unsigned stage_of_voxels = 8, stage_of_quads = 16;
    static constexpr unsigned pack = 32, pack_rows = 8;
    static constexpr std::size_t memory = std::max(ColumnGroups::most_rows * (stage_of_voxels * 32 + 64),
                                                   ColumnGroups::least_rows *(stage_of_quads * 32 + 64)) *
                                          std::size_t{columns_of_row};
    static_assert(stage_of_voxels * columns_of_row % lanes == 0 && stage_of_quads % stage_of_voxels == 0);

    unsigned rows, tile_columns, tile_views, steps, stage;
    unsigned tile_rays() const { return lanes * steps; }
};

// Of a volume in its border.
std::uint64_t line_texels(const VolumeGrid &grid) {
    return (grid.x.count + 2ull * border) * (grid.y.count + 2 * border) * (grid.z.count + 2 * border);
}

std::size_t tiles(unsigned count, unsigned tile) { return (std::size_t{count} + tile - 1) / tile; }

// As many as `most` has, but one at least.
unsigned whole_tiles(unsigned most, unsigned tile) { return std::max(most / tile, 1u) * tile; }

LineShape line_shape(const Device &device, unsigned rays, unsigned views, bool has_quads) {
    using S = LineShape;
    const unsigned rows = has_quads ? ColumnGroups::least_rows : ColumnGroups::rows(device);
    const unsigned columns = rows * S::columns_of_row;
    const unsigned tile_views = std::min(std::bit_ceil(views), columns / (has_quads ? 8 : 4));
    return {rows, columns / tile_views, tile_views, rays > S::lanes ? 2u : 1u,
            has_quads ? S::stage_of_quads : S::stage_of_voxels};
}

// How a work-group gathers columns of voxels; see kernels/general-gather-lines.cl.
struct GatherShape {
    static constexpr unsigned lanes = ColumnGroups::lanes, columns_of_row = 4, tile_x = 8;
    static constexpr unsigned stage = 4;     // views in which detector columns are found at once
    static constexpr unsigned most_away = 3; // columns or rows, in local memory that all devices have
    static_assert(stage * columns_of_row <= lanes);

    // Pixels on either side of the nearest one, for a reach from where a voxel is seen.
    static unsigned away(double reach) {
        return std::isfinite(reach) && reach < 1e6 ? static_cast<unsigned>(std::ceil(reach + 0.5)) - 1 : ~0u;
    }
    // Columns, or orbits of four, across tiles.
    static unsigned tile_y(unsigned rows, bool has_quads) {
        return rows * columns_of_row / (has_quads ? 4 : 1) / tile_x;
    }
    static unsigned steps(unsigned depth) {
        return std::min<unsigned>(std::bit_floor(tiles(depth, lanes)), 4);
    }
    static std::size_t memory(unsigned rows, unsigned away) {
        return std::size_t{stage} * rows * columns_of_row * ((2 * away + 1) * 32 + 4);
    }
};

} // namespace

bool GeneralProjector::can_project_lines() const {
    const Device &device = *compute_.device();
    return is_upright_ && rows_ >= lanes_that_pay && device.prefers_local_memory() &&
           ColumnGroups::are_possible(device) && device.local_memory() >= LineShape::memory &&
           line_texels(grid_) <= std::numeric_limits<std::uint32_t>::max();
}

// Whether four turns of the volume find place. Not by what is free at the moment: the same scan gives the
// same result in each run.
bool GeneralProjector::fits_quads(std::uint64_t memory) const {
    const Device &device = *compute_.device();
    const std::uint64_t texels = line_texels(square_.grid(grid_)), bytes = texels * 4 * sizeof(float);
    return texels <= std::numeric_limits<std::uint32_t>::max() && bytes <= device.max_allocation() &&
           bytes <= std::min(memory, device.memory_limit() / 8 * 7);
}

std::uint64_t GeneralProjector::bytes_of_lines() const {
    return line_texels(has_quads() ? square_.grid(grid_) : grid_) * (has_quads() ? 4 : 1) * sizeof(float);
}

// Those of a work-group, which computes all of them.
unsigned GeneralProjector::views_of_unit() const {
    return can_project_lines()
               ? line_shape(*compute_.device(), rows_, views_or_quads(), has_quads()).tile_views
               : 1;
}

unsigned GeneralProjector::lines_of_unit() const {
    if (gathers_quads())
        return GatherShape::lanes * GatherShape::steps(grid_.z.count);
    return can_gather_lines() ? GatherShape::tile_y(ColumnGroups::rows(*compute_.device()), false)
                              : rows_of_ray_group;
}

// Views whose directions are close read the same lines of the volume, so a work-group makes such ones,
// whatever their order is.
Array GeneralProjector::by_direction(unsigned first, const Range &made) {
    std::vector<cl_uint> order(made.count());
    std::iota(order.begin(), order.end(), made.first);
    std::stable_sort(order.begin(), order.end(),
                     [&](cl_uint a, cl_uint b) { return directions_[first + a] < directions_[first + b]; });
    return compute_.upload(order.data(), order.size() * sizeof(cl_uint));
}

void GeneralProjector::project_lines(const Array &volume, unsigned first, const Range &made,
                                     Array &projections) {
    const auto views = static_cast<unsigned>(projections.info().samples() / rays_of_view());
    const bool has_quads = quads_.is_complete() && views == views_;
    const unsigned parts = has_quads ? 4 : 1, count = views / parts;
    const VolumeGrid grid = has_quads ? square_.grid(grid_) : grid_;
    const cl_uint width = grid.x.count, height = grid.y.count, depth = grid.z.count;
    const auto shape = line_shape(*compute_.device(), rows_, count, has_quads);
    const std::string options = has_quads ? "-D LINES -D QUADS" : "-D LINES";

    Array lines = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, std::uint64_t{parts} * (depth + 2 * border),
                                     width + 2 * border, height + 2 * border});
    constexpr unsigned pack = LineShape::pack, down = LineShape::pack_rows;
    const auto pack_lines =
        compute_.kernel("pack_lines", options + text(" -D PACK_ROWS=%u", down), lines_file);
    for (cl_uint quarters = 0; quarters < parts; quarters++) {
        const unsigned side = quarters % 2 ? height : width, other = quarters % 2 ? width : height;
        WorkSize size(tiles(side + 2 * border, pack) * pack, tiles(depth + 2 * border, pack) * down,
                      other + 2 * border);
        compute_.launch(pack_lines, size.groups(pack, down), volume, ReadWriteBareBuffer{lines}, quarters,
                        cl_uint{grid_.x.count}, cl_uint{grid_.y.count}, depth, width, height,
                        cl_uint{has_quads ? square_.x : 0}, cl_uint{has_quads ? square_.y : 0});
    }

    const auto project = compute_.kernel(
        "project_lines",
        options + text(" -D ROWS=%u -D TILE_COLUMNS=%u -D TILE_VIEWS=%u -D STEPS=%u -D STAGE=%u", shape.rows,
                       shape.tile_columns, shape.tile_views, shape.steps, shape.stage),
        lines_file);
    const double of_row = double(columns_) * parts * std::max(width, height);
    const unsigned views_step = whole_tiles(part(of_row * rows_, made.count()), shape.tile_views);
    const unsigned rows_step = views_step > shape.tile_views
                                   ? rows_
                                   : whole_tiles(part(of_row * views_step, rows_), shape.tile_rays());
    const Array order = by_direction(first, made);
    Steps steps(compute_);
    for (unsigned done = 0; done < made.count(); done += views_step)
        for (unsigned row = 0; row < rows_; row += rows_step) {
            WorkSize size(tiles(columns_, shape.tile_columns) * shape.lanes,
                          tiles(std::min(rows_step, rows_ - row), shape.tile_rays()) * shape.rows,
                          tiles(std::min(views_step, made.count() - done), shape.tile_views));
            compute_.launch(project, size.groups(shape.lanes, shape.rows), BareBuffer{lines},
                            ReadWrite{projections}, BareBuffer{has_quads ? quad_geometry_ : geometry_},
                            BareBuffer{order}, width, height, depth, cl_uint{columns_}, cl_uint{rows_},
                            cl_uint{first}, cl_uint{done}, cl_uint{made.count()}, cl_uint{row},
                            cl_uint{count}, cl_uint{quads_.is_backwards()});
            steps.done(projections);
        }
}

bool GeneralProjector::can_gather_lines() const {
    const Device &device = *compute_.device();
    const unsigned away = GatherShape::away(reach_columns_);
    return can_project_lines() && grid_.z.count >= lanes_that_pay && away <= GatherShape::most_away &&
           GatherShape::away(reach_rows_) <= GatherShape::most_away &&
           device.local_memory() >= GatherShape::memory(ColumnGroups::rows(device), away);
}

unsigned GeneralProjector::gathered_pitch() const {
    return rows_ + 2 * (2 * GatherShape::away(reach_rows_) + 1);
}

std::uint64_t GeneralProjector::bytes_of_gathered() const {
    return (std::uint64_t{gathered_pitch()} + path_samples) * columns_ * views_ * sizeof(float);
}

void GeneralProjector::gather_lines(const Array &projections, const Range &made, Array &volume) {
    constexpr const char *file = "general-gather-lines.cl";
    constexpr unsigned pack = LineShape::pack, down = LineShape::pack_rows;
    const cl_uint width = grid_.x.count, height = grid_.y.count, depth = grid_.z.count;
    const unsigned away_rows = GatherShape::away(reach_rows_), pitch = gathered_pitch();
    const bool has_quads = gathers_quads();
    const cl_uint count = views_or_quads();
    const Array &geometry = has_quads ? quad_geometry_ : geometry_;
    const std::string options = text("-D AWAY_ROWS=%u%s", away_rows, has_quads ? " -D QUADS" : "");

    Array paths = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, std::uint64_t{path_samples} * columns_, count});
    compute_.launch(compute_.kernel("find_paths", options, file), WorkSize(columns_, count),
                    ReadWriteBareBuffer{paths}, BareBuffer{geometry}, cl_uint{columns_});
    Array weighted = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, pitch, columns_, views_});
    WorkSize pixels(tiles(columns_, pack) * pack, tiles(pitch, pack) * down, count);
    compute_.launch(compute_.kernel("weigh_lines", options + text(" -D PACK_ROWS=%u", down), file),
                    pixels.groups(pack, down), projections, ReadWriteBareBuffer{weighted},
                    BareBuffer{geometry}, cl_uint{columns_}, cl_uint{rows_}, count,
                    cl_uint{quads_.is_backwards()});

    const unsigned rows = ColumnGroups::rows(*compute_.device());
    const unsigned tile_y = GatherShape::tile_y(rows, has_quads), steps_of_lane = GatherShape::steps(depth);
    const auto gather = compute_.kernel(
        "gather_lines",
        options + text(" -D AWAY=%u -D ROWS=%u -D TILE_X=%u -D TILE_Y=%u -D STEPS=%u -D STAGE=%u",
                       GatherShape::away(reach_columns_), rows, GatherShape::tile_x, tile_y, steps_of_lane,
                       GatherShape::stage),
        file);
    // Orbits begin in a quarter of the square.
    const unsigned half = (square_.side + 1) / 2, across = has_quads ? half : width;
    const Range lines = has_quads ? Range{0, half} : made, slices = has_quads ? made : Range{0, depth};
    constexpr double of_voxel = 4.0; // steps of a ray take as long
    const double of_line = double(across) * slices.count() * views_ * of_voxel;
    const unsigned step = whole_tiles(part(of_line, lines.count()), tile_y);
    Steps steps(compute_);
    for (unsigned y = lines.first; y < lines.end; y += step) {
        WorkSize size(tiles(across, GatherShape::tile_x) * GatherShape::lanes,
                      tiles(std::min(step, lines.end - y), tile_y) * rows,
                      tiles(slices.count(), GatherShape::lanes * steps_of_lane));
        compute_.launch(gather, size.groups(GatherShape::lanes, rows), BareBuffer{weighted},
                        ReadWrite{volume}, BareBuffer{geometry}, BareBuffer{paths}, width, height, depth,
                        cl_uint{columns_}, cl_uint{rows_}, count, cl_uint{y}, cl_uint{slices.first},
                        cl_uint{square_.side}, cl_uint{has_quads ? square_.x : 0},
                        cl_uint{has_quads ? square_.y : 0});
        steps.done(volume);
    }
}

} // namespace tomo
