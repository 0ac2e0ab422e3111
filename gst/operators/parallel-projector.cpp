// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/parallel-projector.hpp>
#include <gst/operators/parallel-sweep.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

constexpr unsigned margins = 4;     // samples around a line
constexpr unsigned stack_line = 32; // work-items that read side by side

// With margins on all sides.
ArrayInfo stack_of(const ArrayInfo &slices, unsigned width) {
    return {GST_TOMO_FORMAT_FLOAT32, (slices.width + margins) * stack_line * width, slices.height + margins};
}

// Slices side by side that make the projection of a CPU fast; 1: a ray of one slice at a time.
unsigned lanes_for(const Device &device, unsigned slices) {
    constexpr unsigned few = 2;
    return device.prefers_local_memory() || slices < few ? 1 : slices <= 8 ? 8 : 16;
}

// Slices that a work-item of a GPU takes of a stack; 0: a ray of one slice at a time. A stack is a copy of
// the slices.
unsigned stack_width_for(const Device &device, const ArrayInfo &slices, unsigned views) {
    constexpr unsigned few_views = 8, share = 4;
    if (!device.prefers_local_memory() || views < few_views)
        return 0;
    const auto most = std::min(device.max_allocation(), device.memory_limit() / share);
    for (const unsigned width : {4u, 2u, 1u})
        if (slices.depth > width * stack_line / 2 && stack_of(slices, width).size() <= most)
            return width;
    return 0;
}

// `Rays` of those files.
struct Rays {
    cl_long start, per_column, per_line;
    cl_float weight;
    cl_uint is_turned;
};

cl_long fixed(double value) { return static_cast<cl_long>(std::llround(value * 0x1p32)); }

// Pixel (x, y) has its centre at bx = x + slice.x + inside, by = y + slice.y + inside from the axis, and ray
// c is where bx cos + by sin = c + centre. Along columns, y follows from x; along rows, x from y.
Rays rays_at(double angle, const ParallelBeam &beam, const SliceRegion &slice) {
    const double c = std::cos(angle), s = std::sin(angle), centre = 0.5 - beam.axis,
                 inside = 0.5 - beam.axis_in_slice.value_or(beam.axis);
    const bool is_turned = std::abs(s) >= std::abs(c);
    const double along = is_turned ? s : c, other = is_turned ? c : s;
    const double first_line = is_turned ? slice.x : slice.y, first_sample = is_turned ? slice.y : slice.x;
    return {fixed((centre - inside * other) / along - inside - first_line * other / along - first_sample),
            fixed(1.0 / along), fixed(-other / along), static_cast<cl_float>(1.0 / std::abs(along)),
            is_turned};
}

// Length of a ray from line to line.
double weight_at(double angle) {
    return 1.0 / std::max(std::abs(std::cos(angle)), std::abs(std::sin(angle)));
}

} // namespace

// Positions on rays have 31 bits before the point.
void ParallelBeam::check(const SliceRegion &slice) const {
    constexpr double most = most_pixels;
    if (angles.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, "a projection needs one angle at least");
    for (std::size_t i = 0; i < angles.size(); i++)
        if (!std::isfinite(angles[i]))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("the angle of view %zu is %g; a finite number of radians is needed", i, angles[i]));
    if (!(std::abs(axis) <= most))
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("the axis of a projection is at %g; wanted %.0f to %.0f pixels", axis, -most, most));
    const double right = double(slice.x) + slice.width, bottom = double(slice.y) + slice.height;
    if (columns == 0 || slice.width == 0 || slice.height == 0 || columns > most || right > most ||
        bottom > most)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("a projection of %u x %u pixels at (%u, %u) to %u columns can't be made: at least one "
                 "pixel and column, and edges up to %.0f are needed",
                 slice.width, slice.height, slice.x, slice.y, columns, most));
}

ParallelProjector::ParallelProjector(Compute &compute, ParallelBeam beam, const SliceRegion &slice,
                                     unsigned at_once)
    : compute_(compute), beam_(std::move(beam)), slice_(slice),
      transpose_(compute, BackprojectMode::joseph, Precision::single), at_once_(at_once) {
    beam_.check(slice_);
    std::vector<Rays> rays;
    for (const double angle : beam_.angles)
        rays.push_back(rays_at(angle, beam_, slice_));
    rays_ = compute_.upload(rays.data(), rays.size() * sizeof rays[0]);
}

void ParallelProjector::forward(const Array &volume, Array &projections) {
    const auto slices = volume.depth();
    check_shapes(volume.info(), this->volume(slices), projections.info(), this->projections(slices));
    compute_.input_format("slices", volume.info().format);
    const auto &device = *compute_.device();
    if (const unsigned lanes = lanes_for(device, slices); lanes > 1)
        project_lanes(volume, projections, lanes);
    else if (const unsigned width = stack_width_for(device, volume.info(), projections.height()))
        project_stack(volume, projections, width);
    else
        project_rays(volume, projections);
}

void ParallelProjector::project_rays(const Array &volume, Array &projections) {
    const cl_uint width = slice_.width, height = slice_.height, slices = volume.depth();
    auto direct = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, width + margins, height, slices});
    auto turned = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, height + margins, width, slices});
    const auto kernel = [&](const char *name) { return compute_.kernel(name, {}, "forwardproject.cl"); };
    compute_.launch(kernel("pad_slice"), WorkSize(direct.info()), volume, direct, width, height);
    compute_.launch(kernel("turn_slice"), WorkSize(turned.info()), volume, turned, width, height);
    // Neighbouring rays of a few views: they share what they read.
    compute_.launch(kernel("forwardproject"), WorkSize(projections.info()).groups(32, 4),
                    std::as_const(direct), std::as_const(turned), projections, BareBuffer{rays_}, width,
                    height, cl_uint{projections.width()}, cl_uint{projections.height()});
}

void ParallelProjector::project_lanes(const Array &volume, Array &projections, unsigned lanes) {
    constexpr unsigned block = 16, columns = 8; // of the kernels' work-items
    const cl_uint width = slice_.width, height = slice_.height, slices = volume.depth();
    const cl_uint rays = projections.width(), views = projections.height();
    auto direct = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, (width + margins) * lanes, height});
    auto turned = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, (height + margins) * lanes, width});
    const auto kernel = [&](const char *name) {
        return compute_.kernel(name, text("-D FOLLOW_LANES -D LANES=%u", lanes), "forwardproject-lanes.cl");
    };
    const auto pack = kernel("pack_slices"), turn = kernel("turn_lanes"),
               project = kernel("forwardproject_lanes");
    for (cl_uint set = 0; set * lanes < slices; set++) {
        compute_.launch(pack, WorkSize((width + margins + block - 1) / block, height), volume,
                        ReadWriteBareBuffer{direct}, width, height, slices, set);
        compute_.launch(turn, WorkSize(height + margins, width), BareBuffer{direct},
                        ReadWriteBareBuffer{turned}, width, height);
        compute_.launch(project, WorkSize((rays + columns - 1) / columns, views), BareBuffer{direct},
                        BareBuffer{turned}, ReadWrite{projections}, BareBuffer{rays_}, width, height, rays,
                        views, slices, set);
    }
}

void ParallelProjector::project_stack(const Array &volume, Array &projections, unsigned stack_width) {
    constexpr unsigned pack_rows = 8, columns = 8; // of the kernels
    const auto &device = *compute_.device();
    const cl_uint width = slice_.width, height = slice_.height, slices = volume.depth();
    const cl_uint rays = projections.width(), views = projections.height();
    const unsigned lanes = stack_line * stack_width;
    const auto angles = static_cast<unsigned>(device.max_work_group() >= 16 * stack_line ? 16 : 8);
    auto stack = compute_.allocate(stack_of(volume.info(), stack_width));
    const auto kernel = [&](const char *name) {
        return compute_.kernel(name, text("-D WIDTH=%u -D ANGLES=%u", stack_width, angles),
                               "forwardproject-stack.cl");
    };
    const auto groups = [](unsigned number, unsigned of) { return (number + of - 1) / of; };
    // A launch can't be stopped.
    const double updates = (device.is_cpu() ? 2e9 : 2e11) / (double(width) * height * lanes);
    const unsigned step = angles * static_cast<unsigned>(std::clamp(updates / angles, 1.0, double(views)));
    const auto pack = kernel("pack_stack"), project = kernel("forwardproject_stack");
    for (cl_uint set = 0; set * lanes < slices; set++) {
        compute_.launch(pack,
                        WorkSize(groups(width + margins, stack_line) * stack_line, stack_width * pack_rows,
                                 height + margins)
                            .groups(stack_line, pack_rows),
                        volume, ReadWriteBareBuffer{stack}, width, height, slices, set);
        for (cl_uint first = 0; first < views; first += step)
            compute_.launch(project,
                            WorkSize(groups(rays, columns) * stack_line,
                                     groups(std::min(step, views - first), angles) * angles)
                                .groups(stack_line, angles),
                            BareBuffer{stack}, ReadWrite{projections}, BareBuffer{rays_}, width, height, rays,
                            views, slices, set, first);
    }
}

std::vector<BackprojectRow> ParallelProjector::rows() const {
    std::vector<double> weights;
    for (const double angle : beam_.angles)
        weights.push_back(weight_at(angle));
    return backproject_rows(beam_.angles, weights, beam_.axis, beam_.axis_in_slice.value_or(beam_.axis),
                            slice_);
}

std::unique_ptr<ViewSweep> ParallelProjector::sweep(std::vector<unsigned> order) {
    Array ones = compute_.allocate(volume(1)), sums = compute_.allocate(projections(1));
    const float one = 1.0f;
    compute_.fill(ones, &one, sizeof one);
    forward(ones, sums);
    const auto rows = this->rows();
    return std::make_unique<ParallelSweep>(compute_, std::move(order), rays_,
                                           compute_.upload(rows.data(), rows.size() * sizeof rows[0]), sums);
}

ViewSweep::Memory ParallelProjector::sweep_memory(const Device &device, const ArrayInfo &projections,
                                                  const ArrayInfo &slices, bool has_mask) {
    return ParallelSweep::memory(device, projections, slices, has_mask);
}

void ParallelProjector::back(const Array &projections, Array &volume) {
    const auto slices = projections.depth();
    check_shapes(projections.info(), this->projections(slices), volume.info(), this->volume(slices));
    if (!transpose_.has_views())
        transpose_.set_views(rows());
    // Not by the slices that come first: a stream that is resumed may begin with fewer than the whole.
    if (const auto most = std::max(slices, at_once_); planned_slices_ < most) {
        transpose_.plan(this->projections(most), this->volume(most));
        planned_slices_ = most;
    }
    transpose_.run(projections, volume);
}

} // namespace tomo
