// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/column-groups.hpp>
#include <gst/operators/general-backprojector.hpp>
#include <gst/tomo/compute/steps.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace tomo {

namespace {

constexpr const char *tiles_file = "general-backproject.cl";
constexpr const char *columns_file = "general-backproject-columns.cl";
constexpr const char *quads_file = "general-backproject-quads.cl";

// Samples that small count as 0, and reciprocals need no care.
constexpr const char *without_denormals = " -cl-denorms-are-zero";

constexpr const char *cl_name(FloatSize size) {
    return size == FloatSize::half ? "half" : size == FloatSize::single ? "float" : "double";
}

// How a device makes a tile.
struct Shape {
    unsigned tile_l, tile_m, tile_n;
    unsigned lanes, rows; // work-items; no lanes: one for each tile
};

// On CPUs, a tile's columns share what they see of a projection.
Shape shape_for(const Device &device, bool is_along_z, bool is_per_plane, const VolumeGrid::Axis &z) {
    if (device.prefers_local_memory())
        return {64, 32, 1, 32, 8};
    // A longer tile sees more pixels than a float tells apart.
    const unsigned rest = z.count % 128;
    const bool is_long = std::abs(z.step) <= 1.0 && (rest == 0 || rest > 64);
    return is_along_z ? Shape{is_long ? 128u : 64u, 8, 8, 0, 1} : Shape{64, 16, is_per_plane ? 1u : 4u, 0, 1};
}

// How a work-group makes columns of voxels; see kernels/general-backproject-columns.cl.
struct ColumnShape {
    static constexpr unsigned lanes = ColumnGroups::lanes;
    static constexpr unsigned columns_of_row = 4, orbits_of_row = 2; // an orbit is four columns
    static constexpr unsigned stage = 8, stage_of_quads = 4; // views whose numbers it computes at once
    static constexpr unsigned pack = 32, pack_rows = 8;
    static constexpr std::size_t memory =
        std::size_t{stage} * ColumnGroups::most_rows * columns_of_row * 48; // of Columns
    static_assert(stage * columns_of_row % lanes == 0);
    static_assert(stage * columns_of_row == stage_of_quads * orbits_of_row * 4);

    unsigned rows, tile_m, tile_n, steps;
    unsigned tile_l() const { return lanes * steps; }
};

unsigned steps_for(unsigned lanes) {
    const unsigned rest = (lanes + ColumnShape::lanes - 1) / ColumnShape::lanes % 4;
    return rest == 1 || rest == 2 ? rest : 4;
}

// For a volume of so many lanes and planes.
ColumnShape column_shape(const Device &device, unsigned lanes, unsigned planes) {
    const unsigned rows = ColumnGroups::rows(device), tile_n = std::bit_floor(std::min(planes, 8u));
    return {rows, rows * ColumnShape::columns_of_row / tile_n, tile_n, steps_for(lanes)};
}

// Of orbits.
ColumnShape quad_shape(const Device &device, unsigned lanes) {
    constexpr unsigned tile_m = 8;
    const unsigned rows = ColumnGroups::rows(device);
    return {rows, tile_m, rows * ColumnShape::orbits_of_row / tile_m, steps_for(lanes)};
}

} // namespace

bool GeneralBackprojector::has_columns() const {
    const Device &device = *compute_.device();
    return device.prefers_local_memory() && !settings_.is_double && settings_.addressing < 3 &&
           ColumnGroups::are_possible(device) && device.local_memory() >= ColumnShape::memory;
}

std::string GeneralBackprojector::formats() const {
    std::string options =
        text("-D PROJECTION=%s -D SUM=%s -D ADDRESSING=%d", settings_.has_half_projections ? "half" : "float",
             cl_name(settings_.sums), settings_.addressing);
    if (settings_.has_half_projections)
        options += " -D PROJECTION_IS_HALF";
    if (settings_.sums == FloatSize::half)
        options += " -D SUM_IS_HALF";
    if (form_.is_along_z)
        options += " -D TRANSPOSED";
    return options;
}

// Addressing modes that begin anew do so within a line, too.
std::string GeneralBackprojector::options_of_burst() const {
    auto traits = traits_;
    traits.has_lines &= !settings_.is_double && settings_.addressing < 3;
    return traits.options() + text(" -D BURST=%u%s", form_.burst, part_.is_per_plane ? " -D PER_PLANE" : "");
}

std::string GeneralBackprojector::Traits::options() const {
    return text("%s%s",
                !has_depth  ? " -D PARALLEL"
                : is_tilted ? " -D TILTED"
                            : "",
                has_lines ? " -D LINES" : "");
}

Array GeneralBackprojector::upload(const std::vector<VoxelView> &views) {
    static_assert(sizeof(VoxelView) == 20 * sizeof(double));
    return compute_.upload_reals(reinterpret_cast<const double *>(views.data()),
                                 views.size() * sizeof(VoxelView) / sizeof(double));
}

unsigned GeneralBackprojector::planes_at_a_time(unsigned projections) const {
    const double updates = compute_.device()->is_cpu() ? 5e7 : 1e11;
    const double of_plane = double(part().s[1]) * rows() * projections;
    return static_cast<unsigned>(std::clamp(updates / of_plane, 1.0, double(planes())));
}

// Projections
// -----------------------------------------------------------------------------------------------------

void GeneralBackprojector::pack(const Array &projection) {
    if (has_columns()) {
        pack_texels(projection, projections_, count_, 0, text(" -D TEXEL=%u", form_.texel));
        return;
    }
    compute_.input_format("in", projection.info().format);
    compute_.launch(compute_.kernel("pack_projection", formats(), tiles_file),
                    WorkSize(fasts() + 2 * border, slows() + 2 * border), projection,
                    ReadWriteBareBuffer{projections_}, cl_ulong{texels() * count_},
                    cl_uint{projection_.width}, cl_uint{projection_.height},
                    cl_uint{window_.first - part_.first_row});
}

void GeneralBackprojector::pack_quad(const Array &projection, unsigned view) {
    pack_texels(projection, quads_, view_quads_.quad_of(view), view_quads_.part_of(view),
                " -D TEXEL=1 -D QUADS");
}

void GeneralBackprojector::pack_texels(const Array &projection, Array &to, unsigned place, unsigned part,
                                       const std::string &texel) {
    constexpr unsigned pack = ColumnShape::pack, down = ColumnShape::pack_rows;
    const unsigned width = projection_.width + 2 * border, height = window_.count + 2 * border;
    compute_.input_format("in", projection.info().format);
    WorkSize size((width + pack - 1) / pack * pack, (height + pack - 1) / pack * down);
    compute_.launch(
        compute_.kernel("pack_texels", formats() + texel + text(" -D PACK_ROWS=%u", down), columns_file),
        size.groups(pack, down), projection, ReadWriteBareBuffer{to}, cl_ulong{texels() * place},
        cl_uint{part}, cl_uint{projection_.width}, cl_uint{projection_.height},
        cl_uint{window_.first - part_.first_row}, cl_uint{window_.count});
}

// To the next place of the burst.
void GeneralBackprojector::take_from_quad(unsigned view) {
    const auto copy = compute_.kernel("texels_of_quads",
                                      text("-D PROJECTION=%s -D TEXEL=%u",
                                           settings_.has_half_projections ? "ushort" : "float", form_.texel),
                                      quads_file);
    compute_.launch(copy, WorkSize(texels()), BareBuffer{quads_}, ReadWriteBareBuffer{projections_},
                    cl_ulong{texels() * view_quads_.quad_of(view)}, cl_ulong{texels() * count_},
                    cl_ulong{texels()}, cl_uint{view_quads_.part_of(view)}, cl_uint{fasts() + 2 * border});
}

// Volume
// -----------------------------------------------------------------------------------------------------

void GeneralBackprojector::run_tiles(const Array &views) {
    const Shape shape = shape_for(*compute_.device(), form_.is_along_z, part_.is_per_plane, volume().z);
    std::string options =
        formats() + options_of_burst() +
        text(" -D REAL=%s -D TILE_L=%u -D TILE_M=%u -D TILE_N=%u", settings_.is_double ? "double" : "float",
             shape.tile_l, shape.tile_m, shape.tile_n);
    if (shape.lanes)
        options += text(" -D LANES=%u -D ROWS=%u", shape.lanes, shape.rows);
    const auto backproject = compute_.kernel("backproject", options, tiles_file);
    const std::size_t across = tiles_along_lanes(shape.tile_l);
    const std::size_t down = (rows() + shape.tile_m - 1) / shape.tile_m;
    const unsigned step = std::max(planes_at_a_time(count_) / shape.tile_n, 1u) * shape.tile_n;
    // From the first one of a tile of the whole volume.
    const auto own = part();
    const unsigned end = own.s[2] + own.s[3];
    Steps steps(compute_);
    for (unsigned n = own.s[2] / shape.tile_n * shape.tile_n; n < end; n += step) {
        const unsigned tiles = (std::min(step, end - n) + shape.tile_n - 1) / shape.tile_n;
        WorkSize size(across * std::max(shape.lanes, 1u), down * shape.rows, tiles);
        size.groups(std::max(shape.lanes, 1u), shape.rows);
        compute_.launch(backproject, size, BareBuffer{projections_}, BareBuffer{views},
                        ReadWriteBareBuffer{sums_}, cl_uint{lanes()}, cl_uint{rows()}, cl_uint{planes()},
                        cl_uint{n}, cl_uint{fasts()}, cl_uint{slows()}, cl_uint{count_}, cl_uint{!is_begun_},
                        own, window());
        steps.done(sums_);
    }
}

void GeneralBackprojector::run_columns(const Array &views) {
    const auto own = part();
    const auto shape = column_shape(*compute_.device(), lanes(), own.s[3]);
    const auto backproject = compute_.kernel(
        "backproject_columns",
        formats() + options_of_burst() + without_denormals +
            text(" -D TEXEL=%u -D ROWS=%u -D TILE_M=%u -D TILE_N=%u -D STEPS=%u -D STAGE=%u", form_.texel,
                 shape.rows, shape.tile_m, shape.tile_n, shape.steps, shape.stage),
        columns_file);
    const std::size_t tiles_l = tiles_along_lanes(shape.tile_l());
    const std::size_t tiles_m = (rows() + shape.tile_m - 1) / shape.tile_m;
    const unsigned step = std::max(planes_at_a_time(count_) / shape.tile_n, 1u) * shape.tile_n;
    const unsigned end = own.s[2] + own.s[3];
    Steps steps(compute_);
    for (unsigned n = own.s[2]; n < end; n += step) {
        const unsigned tiles_n = (std::min(step, end - n) + shape.tile_n - 1) / shape.tile_n;
        WorkSize size(tiles_m * shape.lanes, std::size_t{tiles_n} * shape.rows, tiles_l);
        compute_.launch(backproject, size.groups(shape.lanes, shape.rows), BareBuffer{projections_},
                        BareBuffer{views}, ReadWriteBareBuffer{sums_}, cl_uint{lanes()}, cl_uint{rows()},
                        cl_uint{planes()}, cl_uint{n}, cl_uint{fasts()}, cl_uint{slows()}, cl_uint{count_},
                        cl_uint{!is_begun_}, own, window());
        steps.done(sums_);
    }
}

void GeneralBackprojector::run_quads() {
    const auto shape = quad_shape(*compute_.device(), lanes());
    const std::vector<VoxelView> views(view_quads_.views().begin(),
                                       view_quads_.views().begin() + view_quads_.quads());
    Traits traits;
    for (const auto &view : views)
        traits.add(view);
    const auto backproject =
        compute_.kernel("backproject_quads",
                        formats() + traits.options() + without_denormals +
                            text(" -D PITCH=%u -D ROWS=%u -D TILE_M=%u -D TILE_N=%u -D STEPS=%u -D STAGE=%u",
                                 fasts() + 2 * border, shape.rows, shape.tile_m, shape.tile_n, shape.steps,
                                 shape.stage_of_quads),
                        quads_file);
    const Array uploaded = upload(views);
    const unsigned half = (square_.side + 1) / 2;
    const std::size_t tiles_l = tiles_along_lanes(shape.tile_l());
    const std::size_t tiles_m = (half + shape.tile_m - 1) / shape.tile_m;
    // A row of orbits makes two planes.
    const unsigned projections = 4 * view_quads_.quads();
    const unsigned step = std::max(planes_at_a_time(projections) / 2 / shape.tile_n, 1u) * shape.tile_n;
    Steps steps(compute_); // all projections at once take long
    for (unsigned n = 0; n < half; n += step) {
        const unsigned tiles_n = (std::min(step, half - n) + shape.tile_n - 1) / shape.tile_n;
        WorkSize size(tiles_m * shape.lanes, std::size_t{tiles_n} * shape.rows, tiles_l);
        compute_.launch(backproject, size.groups(shape.lanes, shape.rows), BareBuffer{quads_},
                        BareBuffer{uploaded}, ReadWriteBareBuffer{sums_}, cl_uint{lanes()}, cl_uint{rows()},
                        cl_uint{planes()}, cl_uint{square_.side}, cl_uint{square_.x}, cl_uint{square_.y},
                        cl_uint{n}, cl_uint{fasts()}, cl_uint{slows()}, cl_uint{view_quads_.quads()}, part(),
                        window());
        steps.done(sums_);
    }
    quads_ = {};
    is_begun_ = true;
}

void GeneralBackprojector::copy_slices(unsigned first, Array &out, const Greys &greys) {
    if (quads_)
        leave_quads();
    run_burst();
    std::string options = text("-D SUM=%s", cl_name(settings_.sums));
    if (settings_.sums == FloatSize::half)
        options += " -D SUM_IS_HALF";
    switch (out.info().format) {
    case GST_TOMO_FORMAT_FLOAT16:
        options += " -D STORE=half -D STORE_IS_HALF";
        break;
    case GST_TOMO_FORMAT_FLOAT64:
        options += " -D STORE=double";
        break;
    case GST_TOMO_FORMAT_UINT8:
        options += " -D STORE=uchar -D TO_INTEGER=convert_uchar_sat_rte";
        break;
    case GST_TOMO_FORMAT_UINT16:
        options += " -D STORE=ushort -D TO_INTEGER=convert_ushort_sat_rte";
        break;
    case GST_TOMO_FORMAT_UINT32:
        options += " -D STORE=uint -D TO_INTEGER=convert_uint_sat_rte";
        break;
    default:
        options += " -D STORE=float";
    }
    const cl_ulong width = volume().x.count, height = volume().y.count, depth = part_.planes;
    const cl_ulong step_x = form_.is_along_z ? depth : 1, step_y = form_.is_along_z ? depth * width : width;
    const cl_ulong step_z = form_.is_along_z ? 1 : width * height;
    WorkSize size(width, out.depth(), height);
    size.groups(compute_.device()->is_cpu() ? 1 : 32, compute_.device()->is_cpu() ? 1 : 8);
    const auto copy = compute_.kernel("copy_slices", options, tiles_file);
    Compute::Launch launch(compute_, copy);
    launch.add(BareBuffer{sums_});
    launch.add(out);
    for (const cl_ulong step : {step_x, step_y, step_z})
        launch.add(step);
    for (const unsigned number : {volume().x.count, volume().y.count, out.depth(), first})
        launch.add(cl_uint{number});
    for (const double number : {greys.minimum, greys.scale}) {
        if (compute_.device()->has_fp64())
            launch.add(number);
        else
            launch.add(static_cast<float>(number));
    }
    launch.run(size);
}

} // namespace tomo
