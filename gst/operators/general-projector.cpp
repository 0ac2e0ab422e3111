// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/general-projector.hpp>
#include <gst/tomo/compute/steps.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tomo {

namespace {

using Numbers = std::array<double, 3>;

// `View` of the kernel.
struct RayView {
    Numbers source, corner, column, row;
    double column_form[4], row_form[4], depth_form[4];
    Numbers step;
    double is_parallel, driving;
    double unused[3];
};
static_assert(sizeof(RayView) == 32 * sizeof(double));

constexpr unsigned by_ray = 3; // instead of an axis

Numbers in_voxels(const Vector3 &way, const VolumeGrid &grid) {
    return {way.x / grid.x.step, way.y / grid.y.step, way.z / grid.z.step};
}

Numbers point_in_voxels(const Vector3 &point, const VolumeGrid &grid) {
    return in_voxels(point - grid.at(0, 0, 0), grid);
}

// As driving_axis() of the kernel.
unsigned driving_axis(const Numbers &way) {
    constexpr double clearly = 1.0001;
    const double x = std::abs(way[0]), y = std::abs(way[1]), z = std::abs(way[2]);
    const bool is_even = x <= y * clearly && y <= x * clearly;
    const unsigned axis = is_even ? way[0] * way[1] > 0.0 : y > x;
    return z > (axis == 0 ? x : y) * clearly ? 2 : axis;
}

// Rays with the same driving axis and sense are a convex cone: if those at the corners of the detector agree,
// all do. Rounding must not decide, so the corners are a bit outside.
unsigned driving_axis(const ViewGeometry::Rays &rays, const VolumeGrid &grid, unsigned columns,
                      unsigned rows) {
    if (rays.is_parallel)
        return driving_axis(in_voxels(rays.direction, grid));
    std::array<unsigned, 4> axes{};
    std::array<bool, 4> senses{};
    for (unsigned i = 0; i < 4; i++) {
        const auto way =
            in_voxels(rays.pixel(i & 1 ? columns : -1.0, i & 2 ? rows : -1.0) - rays.source, grid);
        axes[i] = driving_axis(way);
        senses[i] = way[axes[i]] > 0.0;
    }
    const bool is_one =
        std::all_of(axes.begin(), axes.end(), [&](unsigned axis) { return axis == axes[0]; }) &&
        std::all_of(senses.begin(), senses.end(), [&](bool sense) { return sense == senses[0]; });
    return is_one ? axes[0] : by_ray;
}

RayView ray_view(const ViewGeometry &geometry, const VolumeGrid &grid, unsigned columns, unsigned rows) {
    const auto rays = geometry.rays();
    RayView view{};
    view.source = rays.is_parallel ? in_voxels(rays.direction, grid) : point_in_voxels(rays.source, grid);
    view.corner = point_in_voxels(rays.corner, grid);
    view.column = in_voxels(rays.column, grid);
    view.row = in_voxels(rays.row, grid);
    const auto copy = [&](double *to, const ViewGeometry::Form &form) {
        const auto voxel = grid.in_voxels(form);
        to[0] = voxel.factors.x;
        to[1] = voxel.factors.y;
        to[2] = voxel.factors.z;
        to[3] = voxel.constant;
    };
    copy(view.column_form, geometry.column());
    copy(view.row_form, geometry.row());
    copy(view.depth_form, geometry.depth());
    view.step = {grid.x.step, grid.y.step, grid.z.step};
    view.is_parallel = rays.is_parallel;
    view.driving = driving_axis(rays, grid, columns, rows);
    return view;
}

// Over x and y, of the ray in the middle.
double direction_of(const RayView &view, unsigned columns, unsigned rows) {
    Numbers way = view.source;
    for (unsigned a = 0; a < 2 && view.is_parallel == 0.0; a++)
        way[a] = view.corner[a] + 0.5 * columns * view.column[a] + 0.5 * rows * view.row[a] - view.source[a];
    return std::atan2(way[1], way[0]);
}

void check_view(const ViewGeometry &geometry, const VolumeGrid &grid, std::uint64_t number) {
    geometry.check_box(grid.at(0, 0, 0), grid.at(grid.x.count - 1, grid.y.count - 1, grid.z.count - 1),
                       number);
    if (geometry.is_parallel())
        return;
    // Rays that pass a voxel must be nearly parallel there.
    constexpr double least = 2.0;
    const auto source = point_in_voxels(geometry.rays().source, grid);
    const Numbers last{grid.x.count - 1.0, grid.y.count - 1.0, grid.z.count - 1.0};
    double distance = 0.0;
    for (int a = 0; a < 3; a++)
        distance = std::max({distance, -source[a], source[a] - last[a]});
    if (distance < least)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("the source of projection %" G_GUINT64_FORMAT
                         " is %.3g voxels from the volume; wanted %g or more: move source-position-y away",
                         number, distance, least));
}

// Whether all rays of a detector column have one way across, along x or y, up to rounding.
bool is_upright(const ViewGeometry::Rays &rays, const RayView &view, const VolumeGrid &grid, unsigned columns,
                unsigned rows) {
    constexpr double near = 1e-9, clearly = 0.9999;
    if (std::max(std::abs(view.row[0]), std::abs(view.row[1])) * rows > near || view.driving == 2)
        return false;
    if (view.driving != by_ray)
        return true;
    for (unsigned column = 0; column < columns; column++)
        for (const double row : {0.0, rows - 1.0}) {
            const auto way = in_voxels(rays.pixel(column, row) - rays.source, grid);
            if (std::abs(way[2]) > clearly * std::max(std::abs(way[0]), std::abs(way[1])))
                return false;
        }
    return true;
}

// How far from the pixel where a voxel is seen, in columns and rows, rays of an upright beam pass it closer
// than a voxel in both directions.
struct Reach {
    double columns, rows;
};

Reach reach_of(const ViewGeometry::Rays &rays, const RayView &view, const VolumeGrid &grid,
               unsigned columns) {
    constexpr double more = 1.001;
    // Also on planes that are not a voxel's own.
    const double *depth = view.depth_form;
    double least = std::numeric_limits<double>::infinity();
    for (const double x : {-1.0, double(grid.x.count)})
        for (const double y : {-1.0, double(grid.y.count)})
            least = std::min(least, depth[0] * x + depth[1] * y + depth[3]);
    Reach reach{0.0, more / (std::abs(view.row[2]) * least)};
    for (unsigned column = 0; column < columns; column++) {
        const auto way =
            in_voxels(rays.is_parallel ? rays.direction : rays.pixel(column, 0.0) - rays.source, grid);
        const unsigned axis = std::abs(way[0]) > std::abs(way[1]) ? 0 : 1;
        const double along = std::abs(way[axis]);
        const double across = std::abs(view.column[0] * way[1] - view.column[1] * way[0]) / along * least;
        const double nearer = rays.is_parallel ? 0.0 : std::abs(view.column[axis]) / along;
        reach.columns = std::max(reach.columns, more / std::max(across - nearer, 1e-9));
        if (rays.is_parallel)
            break;
    }
    if (!(least > 0.0))
        reach.columns = reach.rows = std::numeric_limits<double>::infinity();
    return reach;
}

VoxelView voxel_view(const ViewGeometry &geometry, const VolumeGrid &grid) {
    const auto form = [&](const ViewGeometry::Form &of_points) {
        const auto voxel = grid.in_voxels(of_points);
        return VoxelView::Form{{voxel.factors.z, voxel.factors.x, voxel.factors.y, voxel.constant}};
    };
    const auto depth = form(geometry.depth());
    return {form(geometry.row()), form(geometry.column()), depth, depth, 1.0, {}};
}

// Pixels whose rays may pass a voxel in the middle of the volume.
double pixels_near(const ViewGeometry &geometry, const VolumeGrid &grid) {
    const Vector3 middle =
        grid.at(0.5 * (grid.x.count - 1.0), 0.5 * (grid.y.count - 1.0), 0.5 * (grid.z.count - 1.0));
    const double depth = geometry.depth().at(middle);
    const auto reach = [&](const ViewGeometry::Form &form) {
        const auto f = grid.in_voxels(form).factors;
        return 2.0 * std::max({std::abs(f.x), std::abs(f.y), std::abs(f.z)}) / depth + 1.0;
    };
    return reach(geometry.column()) * reach(geometry.row());
}

} // namespace

GeneralProjector::GeneralProjector(Compute &compute, const std::vector<ViewGeometry> &views, unsigned columns,
                                   unsigned rows, const VolumeGrid &grid, std::uint64_t memory)
    : compute_(compute), grid_(grid), columns_(columns), rows_(rows),
      views_(static_cast<unsigned>(views.size())) {
    if (views.empty() || columns == 0 || rows == 0 || grid.x.count == 0 || grid.y.count == 0 ||
        grid.z.count == 0)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("%zu projections of %u x %u pixels of a volume of %u x %u x %u voxels can't be made: each "
                 "number must be 1 at least",
                 views.size(), columns, rows, grid.x.count, grid.y.count, grid.z.count));
    std::vector<RayView> all;
    square_ = SquareOfColumns::around(grid);
    bool are_quads = square_.side > 0 && ViewQuads::is_possible(views_) && fits_quads(memory);
    const VolumeGrid square = are_quads ? square_.grid(grid) : grid;
    if (are_quads)
        quads_ = ViewQuads(views_, square_.side, grid.z.count, std::max(columns, rows));
    for (const auto &view : views) {
        check_view(view, grid, all.size());
        all.push_back(ray_view(view, grid, columns, rows));
        directions_.push_back(direction_of(all.back(), columns, rows));
        is_upright_ = is_upright_ && is_upright(view.rays(), all.back(), grid, columns, rows);
        if (is_upright_) {
            const auto reach = reach_of(view.rays(), all.back(), grid, columns);
            reach_columns_ = std::max(reach_columns_, reach.columns);
            reach_rows_ = std::max(reach_rows_, reach.rows);
        }
        are_quads = are_quads && is_upright_ && quads_.add(voxel_view(view, square));
        has_mixed_ |= all.back().driving == by_ray;
        needs_turned_ |= all.back().driving == by_ray || all.back().driving == 0;
        pixels_of_voxel_ = std::max(pixels_of_voxel_, pixels_near(view, grid));
    }
    const auto upload = [&](const std::vector<RayView> &list) {
        return compute.upload_reals(reinterpret_cast<const double *>(list.data()),
                                    list.size() * sizeof(RayView) / sizeof(double));
    };
    geometry_ = upload(all);
    if (!quads_.is_complete())
        return;
    all.clear();
    for (unsigned view = 0; view < quads_.quads(); view++)
        all.push_back(ray_view(views[view], square, columns, rows));
    quad_geometry_ = upload(all);
}

Kernel GeneralProjector::kernel(const char *function) {
    return compute_.kernel(function,
                           text("%s%s", has_mixed_ ? "-D MIXED " : "", needs_turned_ ? "-D TURNED" : ""),
                           "general-project.cl");
}

double GeneralProjector::most_work() const { return compute_.device()->is_cpu() ? 5e7 : 5e10; }

unsigned GeneralProjector::part(double work, unsigned most) const {
    return static_cast<unsigned>(std::clamp(most_work() / work, 1.0, double(most)));
}

ArrayInfo GeneralProjector::volume(unsigned slices) const {
    return {GST_TOMO_FORMAT_FLOAT32, grid_.x.count, std::uint64_t{grid_.y.count} * grid_.z.count, slices};
}

ArrayInfo GeneralProjector::projections(unsigned slices) const {
    return {GST_TOMO_FORMAT_FLOAT32, rays_of_view(), views_, slices};
}

// All that matters is the number of samples.
void GeneralProjector::check(const Array &volume, const Array &projections, const Array &result,
                             unsigned views) const {
    if (volume.info().is_complex() || projections.info().is_complex() ||
        result.info().format != GST_TOMO_FORMAT_FLOAT32 ||
        volume.info().samples() != std::uint64_t{grid_.x.count} * grid_.y.count * grid_.z.count ||
        projections.info().samples() != rays_of_view() * views)
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("a volume of %s and projections of %s came to a projector; wanted %u x %u x %u voxels and "
                 "%u x %u x %u pixels in a real format, and float32 for the result",
                 volume.info().describe().c_str(), projections.info().describe().c_str(), grid_.x.count,
                 grid_.y.count, grid_.z.count, columns_, rows_, views));
}

void GeneralProjector::forward(const Array &volume, Array &projections) { forward(volume, 0, projections); }

void GeneralProjector::forward(const Array &volume, unsigned first, Array &projections) {
    const auto views = static_cast<unsigned>(projections.info().samples() / rays_of_view());
    check(volume, projections, projections, first < views_ ? std::clamp(views, 1u, views_ - first) : 0);
    project(volume, first, {0, views == views_ ? views_or_quads() : views}, projections);
}

void GeneralProjector::forward_part(const Array &volume, const Part &part, Array &projections) {
    check(volume, projections, projections, views_);
    project(volume, 0, views_of(part), projections);
}

void GeneralProjector::project(const Array &volume, unsigned first, const Range &made, Array &projections) {
    compute_.input_format("in", volume.info().format);
    if (can_project_lines())
        project_lines(volume, first, made, projections);
    else
        project_rays(volume, first, made, projections);
}

unsigned GeneralProjector::forward_units() const {
    return (views_or_quads() + views_of_unit() - 1) / views_of_unit();
}

unsigned GeneralProjector::back_units() const {
    return (all_lines() + lines_of_unit() - 1) / lines_of_unit();
}

GeneralProjector::Range GeneralProjector::views_of(const Part &part) const {
    return {part.first * views_of_unit(), std::min(part.end() * views_of_unit(), views_or_quads())};
}

GeneralProjector::Range GeneralProjector::lines_of(const Part &part) const {
    return {part.first * lines_of_unit(), std::min(part.end() * lines_of_unit(), all_lines())};
}

GeneralProjector::Strips GeneralProjector::strips_of_forward(const Part &part) const {
    const auto views = views_of(part);
    const auto rays = rays_of_view();
    return {views.first * rays, views_or_quads() * rays, views.count() * rays, has_quads() ? 4u : 1u};
}

GeneralProjector::Strips GeneralProjector::strips_of_back(const Part &part) const {
    const auto lines = lines_of(part);
    const std::uint64_t width = grid_.x.count, plane = width * grid_.y.count;
    const std::uint64_t size = gathers_quads() ? plane : width;
    return {lines.first * size, plane, lines.count() * size, gathers_quads() ? 1 : grid_.z.count};
}

std::uint64_t GeneralProjector::bytes_of_forward() const {
    return can_project_lines() ? bytes_of_lines() : needs_turned_ ? volume().size() : 0;
}

std::uint64_t GeneralProjector::bytes_of_back() const {
    const std::uint64_t bytes = projections().size();
    return can_gather_lines() ? bytes_of_gathered() : bytes + (has_mixed_ ? bytes / sizeof(float) : 0);
}

GeneralProjector::Variant GeneralProjector::variant() const {
    return {has_quads(), can_project_lines(), can_gather_lines()};
}

void GeneralProjector::project_rays(const Array &volume, unsigned first, const Range &made,
                                    Array &projections) {
    const cl_uint width = grid_.x.count, height = grid_.y.count, depth = grid_.z.count;
    Array turned = compute_.allocate(needs_turned_ ? ArrayInfo(GST_TOMO_FORMAT_FLOAT32, height, width, depth)
                                                   : ArrayInfo(GST_TOMO_FORMAT_FLOAT32, 1, 1));
    if (needs_turned_)
        compute_.launch(kernel("turn_volume"), WorkSize(height, width, depth), volume,
                        ReadWriteBareBuffer{turned}, width, height);
    const auto project = kernel("project_rays");
    const double of_row = double(columns_) * std::max({width, height, depth});
    const unsigned views_step = part(of_row * rows_, made.count()),
                   rows_step = views_step > 1 ? rows_ : part(of_row, rows_);
    Steps steps(compute_);
    for (unsigned done = made.first; done < made.end; done += views_step)
        for (unsigned row = 0; row < rows_; row += rows_step) {
            WorkSize size(columns_, std::min(rows_step, rows_ - row), std::min(views_step, made.end - done));
            compute_.launch(project, size.groups(32, 4), volume, BareBuffer{turned}, ReadWrite{projections},
                            BareBuffer{geometry_}, width, height, depth, cl_uint{columns_}, cl_uint{rows_},
                            cl_uint{first}, cl_uint{done}, cl_uint{row});
            steps.done(projections);
        }
}

void GeneralProjector::back(const Array &projections, Array &volume) {
    gather(projections, {0, all_lines()}, volume);
}

void GeneralProjector::back_part(const Array &projections, const Part &part, Array &volume) {
    gather(projections, lines_of(part), volume);
}

void GeneralProjector::gather(const Array &projections, const Range &made, Array &volume) {
    check(volume, projections, volume, views_);
    compute_.input_format("in", projections.info().format);
    if (can_gather_lines())
        gather_lines(projections, made, volume);
    else
        gather_rays(projections, made, volume);
}

void GeneralProjector::gather_rays(const Array &projections, const Range &rows, Array &volume) {
    const cl_uint width = grid_.x.count, height = grid_.y.count, depth = grid_.z.count;
    Array weighted = compute_.allocate(this->projections());
    Array axes = compute_.allocate(has_mixed_ ? ArrayInfo(GST_TOMO_FORMAT_UINT8, columns_, rows_, views_)
                                              : ArrayInfo(GST_TOMO_FORMAT_UINT8, 1, 1));
    compute_.launch(kernel("weigh_rays"), WorkSize(columns_, rows_, views_), projections,
                    ReadWriteBareBuffer{weighted}, ReadWriteBareBuffer{axes}, BareBuffer{geometry_},
                    cl_uint{columns_}, cl_uint{rows_});
    constexpr unsigned run = 8; // RUN of the kernel
    const unsigned runs = (depth + run - 1) / run;
    constexpr double of_voxel = 8.0; // steps of a ray take as long
    const double of_run = double(width) * rows.count() * run * std::max(of_voxel, pixels_of_voxel_);
    // As many views as can be: sums are read and written for each part of them.
    const unsigned views_step = part(of_run, views_),
                   runs_step = views_step < views_ ? 1 : part(of_run * views_, runs);
    const auto gather = kernel("gather_rays");
    Steps steps(compute_);
    for (unsigned z = 0; z < runs; z += runs_step)
        for (unsigned first = 0; first < views_; first += views_step) {
            WorkSize size(width, rows.count(), std::min(runs_step, runs - z));
            compute_.launch(gather, size.groups(32, rows_of_ray_group), BareBuffer{weighted},
                            BareBuffer{axes}, ReadWrite{volume}, BareBuffer{geometry_}, width, height, depth,
                            cl_uint{columns_}, cl_uint{rows_}, cl_uint{first},
                            cl_uint{std::min(first + views_step, views_)}, cl_uint{z}, cl_uint{rows.first});
            steps.done(volume);
        }
}

} // namespace tomo
