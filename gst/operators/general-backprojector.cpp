// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/general-backprojector.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace tomo {

namespace {

constexpr unsigned border = 2; // texels around a projection, as in the kernel

constexpr const char *tiles_file = "general-backproject.cl";
constexpr const char *columns_file = "general-backproject-columns.cl";

constexpr const char *cl_name(FloatSize size) {
    return size == FloatSize::half ? "half" : size == FloatSize::single ? "float" : "double";
}

constexpr GstTomoFormat format_of(FloatSize size) {
    return size == FloatSize::half     ? GST_TOMO_FORMAT_FLOAT16
           : size == FloatSize::single ? GST_TOMO_FORMAT_FLOAT32
                                       : GST_TOMO_FORMAT_FLOAT64;
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
    static constexpr unsigned lanes = 32, least_rows = 8, most_rows = 16; // work-items
    static constexpr unsigned columns_of_row = 8;
    static constexpr unsigned stage = 4; // views whose numbers it computes at once
    static constexpr unsigned pack = 32, pack_rows = 8;
    static constexpr std::size_t memory = std::size_t{stage} * most_rows * columns_of_row * 48; // of Columns
    static_assert(stage * columns_of_row % lanes == 0);

    unsigned rows, tile_m, tile_n, steps;
    unsigned tile_l() const { return lanes * steps; }
};

// For a volume of so many lanes and planes.
ColumnShape column_shape(const Device &device, unsigned lanes, unsigned planes) {
    using S = ColumnShape;
    const unsigned rows = device.max_work_group() >= S::lanes * S::most_rows ? S::most_rows : S::least_rows;
    const unsigned tile_n = std::bit_floor(std::min(planes, 8u));
    const unsigned rest = (lanes + S::lanes - 1) / S::lanes % 4;
    return {rows, rows * S::columns_of_row / tile_n, tile_n, rest == 1 || rest == 2 ? rest : 4};
}

} // namespace

GeneralBackprojector::GeneralBackprojector(Compute &compute, const GeneralBackprojection &settings)
    : compute_(compute), settings_(settings) {
    const Device &device = *compute.device();
    if ((settings.is_double || settings.sums == FloatSize::twofold) && !device.has_fp64())
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("%s has no double precision; take float for compute-type and result-type, or another "
                 "device",
                 device.name().c_str()));
}

std::size_t GeneralBackprojector::texels() const {
    return std::size_t{projection_.width + 2 * border} * (projection_.height + 2 * border);
}

// As many projections as pay, as long as they take a small part of the memory.
unsigned GeneralBackprojector::burst_of(const ArrayInfo &projection) const {
    const std::uint64_t pays = has_columns() ? 64 : 16; // GPUs read and write all sums for each burst
    if (settings_.burst)
        return settings_.burst;
    const std::uint64_t fit = compute_.device()->memory_limit() / 8 / bytes_of(projection);
    return static_cast<unsigned>(std::clamp<std::uint64_t>(fit, 1, pays));
}

std::uint64_t GeneralBackprojector::bytes_of(const ArrayInfo &projection) const {
    return std::uint64_t{projection.width + 2 * border} * (projection.height + 2 * border) *
           texel_of(projection) * (settings_.has_half_projections ? 2 : 4);
}

// Neighbours lie beside a sample where memory is plenty: then one load gives all of them.
unsigned GeneralBackprojector::texel_of(const ArrayInfo &projection) const {
    constexpr unsigned neighbours = 4, plenty = 16; // projections
    const std::uint64_t bytes =
        std::uint64_t{projection.width + 2 * border} * (projection.height + 2 * border) * neighbours * 4;
    return has_columns() && bytes * plenty <= compute_.device()->memory_limit() / 8 ? neighbours : 1;
}

bool GeneralBackprojector::has_columns() const {
    const Device &device = *compute_.device();
    return device.prefers_local_memory() && !settings_.is_double && settings_.addressing < 3 &&
           device.max_work_group() >= ColumnShape::lanes * ColumnShape::least_rows &&
           device.local_memory() >= ColumnShape::memory;
}

unsigned GeneralBackprojector::planes_that_fit(const ArrayInfo &projection, unsigned, const ArrayInfo &slice,
                                               unsigned) const {
    const Device &device = *compute_.device();
    const std::uint64_t plane = slice.plane_samples() * gst_tomo_format_get_size(format_of(settings_.sums));
    const std::uint64_t burst = bytes_of(projection) * burst_of(projection);
    const std::uint64_t others = 4 * projection.size() + 3 * slice.size();
    std::uint64_t mine = 0;
    for (const Array *array : {&projections_, &sums_})
        mine += *array ? array->info().size() : 0;
    const std::uint64_t taken =
        device.memory_in_use() - std::min<std::uint64_t>(device.memory_in_use(), mine) + burst + others;
    const std::uint64_t limit = device.memory_limit() / 8 * 7;
    if (taken >= limit)
        return 0;
    // Some slices lie there twice, on their way out.
    const std::uint64_t planes =
        std::min<std::uint64_t>(device.max_allocation() / plane, (limit - taken) / 9 * 8 / plane);
    return static_cast<unsigned>(std::min<std::uint64_t>(planes, G_MAXINT));
}

std::string GeneralBackprojector::formats() const {
    std::string options =
        text("-D PROJECTION=%s -D SUM=%s -D ADDRESSING=%d", settings_.has_half_projections ? "half" : "float",
             cl_name(settings_.sums), settings_.addressing);
    if (settings_.has_half_projections)
        options += " -D PROJECTION_IS_HALF";
    if (settings_.sums == FloatSize::half)
        options += " -D SUM_IS_HALF";
    if (is_along_z_)
        options += " -D TRANSPOSED";
    return options;
}

void GeneralBackprojector::begin(const ArrayInfo &projection, const VolumeGrid &volume, bool is_per_plane) {
    // Slices farther apart would see too much of a projection for one tile, and share nothing.
    constexpr unsigned lanes_that_pay = 16;
    constexpr double near = 2.0;
    projection_ = projection;
    burst_ = burst_of(projection);
    texel_ = texel_of(projection);
    volume_ = volume;
    is_per_plane_ = is_per_plane;
    is_along_z_ = !is_per_plane && volume.z.count >= lanes_that_pay && std::abs(volume.z.step) <= near;
    count_ = 0;
    views_.clear();
    is_begun_ = false;
    if (!projections_ || projections_.info().samples() != texels() * texel_ * burst_)
        projections_ = compute_.allocate(
            {settings_.has_half_projections ? GST_TOMO_FORMAT_FLOAT16 : GST_TOMO_FORMAT_FLOAT32,
             std::uint64_t{texel_} * (projection.width + 2 * border), projection.height + 2 * border,
             burst_});
    const ArrayInfo sums(format_of(settings_.sums), volume.x.count, volume.y.count, volume.z.count);
    if (!sums_ || sums_.info() != sums) {
        sums_ = {};
        sums_ = compute_.allocate(sums);
    }
}

GeneralBackprojector::View GeneralBackprojector::view_of(const WeightedView &view, unsigned plane) const {
    const auto form = [&](const ViewGeometry::Form &of_points) {
        const auto voxel = volume_.in_voxels(of_points);
        const Vector3 &f = voxel.factors;
        if (is_along_z_)
            return Form{{f.z, f.x, f.y, voxel.constant}};
        if (is_per_plane_) // all of them may have one height: that of the plane's own views
            return Form{{f.x, f.y, 0.0, voxel.constant + f.z * plane}};
        return Form{{f.x, f.y, f.z, voxel.constant}};
    };
    const ViewGeometry &g = view.geometry;
    const Form column = form(g.column()), row = form(g.row());
    return {is_along_z_ ? row : column,
            is_along_z_ ? column : row,
            form(g.depth()),
            form(g.distance()),
            view.weight,
            {}};
}

void GeneralBackprojector::pack(const Array &projection) {
    compute_.input_format("in", projection.info().format);
    const unsigned width = projection_.width + 2 * border, height = projection_.height + 2 * border;
    const auto run = [&](const Kernel &kernel, const WorkSize &size) {
        compute_.launch(kernel, size, projection, ReadWriteBareBuffer{projections_},
                        cl_ulong{texels() * count_}, cl_uint{projection_.width}, cl_uint{projection_.height});
    };
    if (!has_columns()) {
        run(compute_.kernel("pack_projection", formats(), tiles_file),
            is_along_z_ ? WorkSize(height, width) : WorkSize(width, height));
        return;
    }
    constexpr unsigned pack = ColumnShape::pack, rows = ColumnShape::pack_rows;
    WorkSize size((width + pack - 1) / pack * pack, (height + pack - 1) / pack * rows);
    run(compute_.kernel("pack_texels", formats() + text(" -D TEXEL=%u -D PACK_ROWS=%u", texel_, rows),
                        columns_file),
        size.groups(pack, rows));
}

void GeneralBackprojector::add(const Array &projection, const std::vector<WeightedView> &views) {
    const unsigned planes = is_per_plane_ ? volume_.z.count : 1;
    if (projection.info().plane_samples() != projection_.plane_samples() || views.size() != planes)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("a projection of %s and %zu views came; wanted %u x %u pixels and %u views",
                         projection.info().describe().c_str(), views.size(), projection_.width,
                         projection_.height, planes));
    pack(projection);
    views_.resize(std::size_t{planes} * burst_);
    for (unsigned plane = 0; plane < planes; plane++) {
        const auto view = view_of(views[plane], plane);
        for (int i = 0; i < 4; i++) // up to rounding; forms are near 1
            is_tilted_ |= std::abs(view.depth.factors[i] - view.distance.factors[i]) > 1e-13;
        for (const Form *still : {&view.slow, &view.depth, &view.distance})
            has_lines_ &= std::abs(still->factors[0]) < 1e-13;
        has_depth_ |= !views[plane].geometry.is_parallel();
        views_[std::size_t{plane} * burst_ + count_] = view;
    }
    if (++count_ == burst_)
        run_burst();
}

Array GeneralBackprojector::upload_views() {
    static_assert(sizeof(View) == 20 * sizeof(double));
    return compute_.upload_reals(reinterpret_cast<const double *>(views_.data()),
                                 views_.size() * sizeof(View) / sizeof(double));
}

void GeneralBackprojector::run_burst() {
    if (count_ == 0)
        return;
    const Array views = upload_views();
    if (has_columns())
        run_columns(views);
    else
        run_tiles(views);
    is_begun_ = true;
    count_ = 0;
    has_depth_ = is_tilted_ = false;
    has_lines_ = true;
}

std::string GeneralBackprojector::options_of_views() const {
    std::string options = text(" -D BURST=%u", burst_);
    if (!has_depth_)
        options += " -D PARALLEL";
    else if (is_tilted_)
        options += " -D TILTED";
    if (is_per_plane_)
        options += " -D PER_PLANE";
    // Other addressing modes begin anew within a line.
    if (has_lines_ && !settings_.is_double && settings_.addressing < 3)
        options += " -D LINES";
    return options;
}

// A launch can't be stopped. So it makes a number of planes, in which each update adds a sample to a voxel.
unsigned GeneralBackprojector::planes_at_a_time(unsigned projections) const {
    const double updates = compute_.device()->is_cpu() ? 2e8 : 1e11;
    const double of_plane = double(lanes()) * rows() * projections;
    return static_cast<unsigned>(std::clamp(updates / of_plane, 1.0, double(planes())));
}

void GeneralBackprojector::run_tiles(const Array &views) {
    const Shape shape = shape_for(*compute_.device(), is_along_z_, is_per_plane_, volume_.z);
    std::string options =
        formats() + options_of_views() +
        text(" -D REAL=%s -D TILE_L=%u -D TILE_M=%u -D TILE_N=%u", settings_.is_double ? "double" : "float",
             shape.tile_l, shape.tile_m, shape.tile_n);
    if (shape.lanes)
        options += text(" -D LANES=%u -D ROWS=%u", shape.lanes, shape.rows);
    const auto backproject = compute_.kernel("backproject", options, tiles_file);
    const std::size_t across = (lanes() + shape.tile_l - 1) / shape.tile_l;
    const std::size_t down = (rows() + shape.tile_m - 1) / shape.tile_m;
    const unsigned step = std::max(planes_at_a_time(count_) / shape.tile_n, 1u) * shape.tile_n;
    for (unsigned n = 0; n < planes(); n += step) {
        const unsigned tiles = (std::min(step, planes() - n) + shape.tile_n - 1) / shape.tile_n;
        WorkSize size(across * std::max(shape.lanes, 1u), down * shape.rows, tiles);
        size.groups(std::max(shape.lanes, 1u), shape.rows);
        compute_.launch(backproject, size, BareBuffer{projections_}, BareBuffer{views},
                        ReadWriteBareBuffer{sums_}, cl_uint{lanes()}, cl_uint{rows()}, cl_uint{planes()},
                        cl_uint{n}, cl_uint{fasts()}, cl_uint{slows()}, cl_uint{count_}, cl_uint{!is_begun_});
    }
}

void GeneralBackprojector::run_columns(const Array &views) {
    const auto shape = column_shape(*compute_.device(), lanes(), planes());
    const auto backproject =
        compute_.kernel("backproject_columns",
                        formats() + options_of_views() +
                            text(" -D TEXEL=%u -D ROWS=%u -D TILE_M=%u -D TILE_N=%u -D STEPS=%u -D STAGE=%u",
                                 texel_, shape.rows, shape.tile_m, shape.tile_n, shape.steps, shape.stage),
                        columns_file);
    const std::size_t tiles_l = (lanes() + shape.tile_l() - 1) / shape.tile_l();
    const std::size_t tiles_m = (rows() + shape.tile_m - 1) / shape.tile_m;
    const unsigned step = std::max(planes_at_a_time(count_) / shape.tile_n, 1u) * shape.tile_n;
    for (unsigned n = 0; n < planes(); n += step) {
        const unsigned tiles_n = (std::min(step, planes() - n) + shape.tile_n - 1) / shape.tile_n;
        WorkSize size(tiles_m * shape.lanes, std::size_t{tiles_n} * shape.rows, tiles_l);
        compute_.launch(backproject, size.groups(shape.lanes, shape.rows), BareBuffer{projections_},
                        BareBuffer{views}, ReadWriteBareBuffer{sums_}, cl_uint{lanes()}, cl_uint{rows()},
                        cl_uint{planes()}, cl_uint{n}, cl_uint{fasts()}, cl_uint{slows()}, cl_uint{count_},
                        cl_uint{!is_begun_});
    }
}

void GeneralBackprojector::copy_slices(unsigned first, Array &out, const Greys &greys) {
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
    const cl_ulong width = volume_.x.count, height = volume_.y.count, depth = volume_.z.count;
    const cl_ulong step_x = is_along_z_ ? depth : 1, step_y = is_along_z_ ? depth * width : width;
    const cl_ulong step_z = is_along_z_ ? 1 : width * height;
    WorkSize size(width, out.depth(), height);
    size.groups(compute_.device()->is_cpu() ? 1 : 32, compute_.device()->is_cpu() ? 1 : 8);
    const auto copy = compute_.kernel("copy_slices", options, tiles_file);
    Compute::Launch launch(compute_, copy);
    launch.add(BareBuffer{sums_});
    launch.add(out);
    for (const cl_ulong step : {step_x, step_y, step_z})
        launch.add(step);
    for (const unsigned number : {volume_.x.count, volume_.y.count, out.depth(), first})
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
