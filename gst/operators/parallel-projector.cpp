// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/parallel-projector.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

constexpr unsigned margins = 4; // samples around a line

// Slices side by side that make the projection of a CPU fast; 1: a ray of one slice at a time.
unsigned lanes_for(const Device &device, unsigned slices) {
    constexpr unsigned few = 2;
    return device.prefers_local_memory() || slices < few ? 1 : slices <= 8 ? 8 : 16;
}

// `Rays` of that file.
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

// Positions on rays have 31 bits before the point.
void check_geometry(const ParallelBeam &beam, const SliceRegion &slice) {
    constexpr double most = ParallelBeam::most_pixels;
    if (beam.angles.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, "a projection needs one angle at least");
    for (std::size_t i = 0; i < beam.angles.size(); i++)
        if (!std::isfinite(beam.angles[i]))
            throw Error(
                GST_LIBRARY_ERROR_SETTINGS,
                text("the angle of view %zu is %g; a finite number of radians is needed", i, beam.angles[i]));
    if (!(std::abs(beam.axis) <= most))
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("the axis of a projection is at %g; wanted %.0f to %.0f pixels", beam.axis, -most, most));
    const double right = double(slice.x) + slice.width, bottom = double(slice.y) + slice.height;
    if (beam.columns == 0 || slice.width == 0 || slice.height == 0 || beam.columns > most || right > most ||
        bottom > most)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("a projection of %u x %u pixels at (%u, %u) to %u columns can't be made: at least one "
                 "pixel and column, and edges up to %.0f are needed",
                 slice.width, slice.height, slice.x, slice.y, beam.columns, most));
}

} // namespace

ParallelProjector::ParallelProjector(Compute &compute, ParallelBeam beam, const SliceRegion &slice)
    : compute_(compute), beam_(std::move(beam)), slice_(slice),
      transpose_(compute, BackprojectMode::joseph, Precision::single) {
    check_geometry(beam_, slice_);
    std::vector<Rays> rays;
    for (const double angle : beam_.angles)
        rays.push_back(rays_at(angle, beam_, slice_));
    rays_ = compute_.upload(rays.data(), rays.size() * sizeof rays[0]);
}

void ParallelProjector::forward(const Array &volume, Array &projections) {
    const auto slices = volume.depth();
    check_shapes(volume.info(), this->volume(slices), projections.info(), this->projections(slices));
    compute_.input_format("slices", volume.info().format);
    if (const unsigned lanes = lanes_for(*compute_.device(), slices); lanes > 1)
        project_lanes(volume, projections, lanes);
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
        return compute_.kernel(name, text("-D LANES=%u", lanes), "forwardproject-lanes.cl");
    };
    for (cl_uint set = 0; set * lanes < slices; set++) {
        compute_.launch(kernel("pack_slices"), WorkSize((width + margins + block - 1) / block, height),
                        volume, ReadWriteBareBuffer{direct}, width, height, slices, set);
        compute_.launch(kernel("turn_lanes"), WorkSize(height + margins, width), BareBuffer{direct},
                        ReadWriteBareBuffer{turned}, width, height);
        compute_.launch(kernel("forwardproject_lanes"), WorkSize((rays + columns - 1) / columns, views),
                        BareBuffer{direct}, BareBuffer{turned}, ReadWrite{projections}, BareBuffer{rays_},
                        width, height, rays, views, slices, set);
    }
}

void ParallelProjector::back(const Array &projections, Array &volume) {
    const auto slices = projections.depth();
    check_shapes(projections.info(), this->projections(slices), volume.info(), this->volume(slices));
    if (!transpose_.has_views()) {
        std::vector<double> weights;
        for (const double angle : beam_.angles)
            weights.push_back(weight_at(angle));
        transpose_.set_views(backproject_rows(beam_.angles, weights, beam_.axis,
                                              beam_.axis_in_slice.value_or(beam_.axis), slice_));
    }
    if (planned_slices_ < slices) {
        transpose_.plan(projections.info(), volume.info());
        planned_slices_ = slices;
    }
    transpose_.run(projections, volume);
}

} // namespace tomo
