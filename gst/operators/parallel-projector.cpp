// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/parallel-projector.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

constexpr const char *forward_kernels = "forwardproject.cl";

// `Rays` of that file.
struct Rays {
    cl_long start, per_column, per_line;
    cl_float weight;
    cl_uint is_turned;
};

cl_long fixed(double value) { return static_cast<cl_long>(std::llround(value * 0x1p32)); }

// Pixel (x, y) has its centre at bx = x + slice.x + centre, by = y + slice.y + centre from the axis, and ray
// c is where bx cos + by sin = c + centre. Along columns, y follows from x; along rows, x from y.
Rays rays_at(double angle, double axis, const SliceRegion &slice) {
    const double c = std::cos(angle), s = std::sin(angle), centre = 0.5 - axis;
    const bool is_turned = std::abs(s) >= std::abs(c);
    const double along = is_turned ? s : c, other = is_turned ? c : s;
    const double first_line = is_turned ? slice.x : slice.y, first_sample = is_turned ? slice.y : slice.x;
    return {fixed(centre * (1.0 - other) / along - centre - first_line * other / along - first_sample),
            fixed(1.0 / along), fixed(-other / along), static_cast<cl_float>(1.0 / std::abs(along)),
            is_turned};
}

// Length of a ray from line to line.
double weight_at(double angle) {
    return 1.0 / std::max(std::abs(std::cos(angle)), std::abs(std::sin(angle)));
}

} // namespace

ParallelProjector::ParallelProjector(Compute &compute, ParallelBeam beam, const SliceRegion &slice)
    : compute_(compute), beam_(std::move(beam)), slice_(slice),
      transpose_(compute, BackprojectMode::joseph, Precision::single) {
    if (beam_.angles.empty())
        throw Error(GST_LIBRARY_ERROR_SETTINGS, "a projection needs one angle at least");
    std::vector<Rays> rays;
    for (const double angle : beam_.angles)
        rays.push_back(rays_at(angle, beam_.axis, slice_));
    rays_ = compute_.upload(rays.data(), rays.size() * sizeof rays[0]);
}

void ParallelProjector::check(const Array &volume, const Array &projections) const {
    const auto &v = volume.info(), &p = projections.info();
    const auto wanted_v = this->volume(v.depth), wanted_p = this->projections(v.depth);
    if (v.width != wanted_v.width || v.height != wanted_v.height || p.width != wanted_p.width ||
        p.height != wanted_p.height || p.depth != v.depth)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("a volume of %s and projections of %s came; wanted %s and %s", v.describe().c_str(),
                         p.describe().c_str(), wanted_v.describe().c_str(), wanted_p.describe().c_str()));
}

void ParallelProjector::forward(const Array &volume, Array &projections) {
    check(volume, projections);
    constexpr unsigned margins = 4;
    const cl_uint width = slice_.width, height = slice_.height;
    auto direct = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, width + margins, height, volume.depth()});
    auto turned = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, height + margins, width, volume.depth()});
    compute_.input_format("slices", volume.info().format);
    const auto kernel = [&](const char *name) { return compute_.kernel(name, {}, forward_kernels); };
    compute_.launch(kernel("pad_slice"), WorkSize(direct.info()), volume, direct, width, height);
    compute_.launch(kernel("turn_slice"), WorkSize(turned.info()), volume, turned, width, height);
    // Neighbouring rays of a few views: they share what they read.
    compute_.launch(kernel("forwardproject"), WorkSize(projections.info()).groups(32, 4),
                    std::as_const(direct), std::as_const(turned), projections, BareBuffer{rays_}, width,
                    height, cl_uint{projections.width()}, cl_uint{projections.height()});
}

void ParallelProjector::back(const Array &projections, Array &volume) {
    check(volume, projections);
    if (!transpose_.has_views()) {
        std::vector<double> weights;
        for (const double angle : beam_.angles)
            weights.push_back(weight_at(angle));
        transpose_.set_views(backproject_rows(beam_.angles, weights, beam_.axis, slice_));
    }
    if (planned_slices_ != volume.depth()) {
        transpose_.plan(projections.info(), volume.info());
        planned_slices_ = volume.depth();
    }
    transpose_.run(projections, volume);
}

} // namespace tomo
