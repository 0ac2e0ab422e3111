// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iterative-slices.hpp"

#include <gst/operators/parallel-projector.hpp>
#include <gst/tomo/support/number-list.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

void PixelBounds::add_to(SolverSettings &settings) const {
    if (minimum >= maximum)
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("pixels from minimum=%g to maximum=%g leave nothing to choose: set "
                         "minimum below maximum",
                         minimum.value(), maximum.value()));
    if (minimum > -G_MAXDOUBLE)
        settings.minimum = minimum;
    if (maximum < G_MAXDOUBLE)
        settings.maximum = maximum;
}

void IterativeSlices::stop() {
    solver_.reset();
    watch.clear();
    ParallelSlices::stop();
}

void IterativeSlices::plan(const ArrayInfo &sinograms, const ArrayInfo &slices) {
    if (projector_choice())
        projector_choice()->check();
    solver_.emplace(*this, method_,
                    settings(sinograms, {0, 0, slices.width, slices.height, sinograms.width}));
}

void IterativeSlices::set_views(const Views &views) {
    const unsigned columns = input_info().width, at_once = input_info().depth * batch_size();
    solver_->set_geometry(
        static_cast<unsigned>(views.angles.size()), [&](const std::vector<unsigned> &chosen) {
            ParallelBeam beam{{}, views.axis, columns, views.axis_in_slice};
            for (const unsigned view : chosen)
                beam.angles.push_back(views.angles[view]);
            return projector_choice()
                       ? projector_choice()->make(*this, std::move(beam), views.slice, at_once)
                       : std::make_unique<ParallelProjector>(*this, std::move(beam), views.slice, at_once);
        });
}

void IterativeSlices::reconstruct(const Array &sinograms, Array &slices) {
    const unsigned depth = input_info().depth, arrays = slices.depth() / depth;
    const ArrayInfo shape(GST_TOMO_FORMAT_FLOAT32, slices.width(), slices.height(), slices.depth());
    auto start = inputs.start(*this, frame_index(), arrays, shape);
    start.watch =
        watch.over({.shape = shape, .first = frame_index() * depth, .number = frame_index(), .depth = depth},
                   method_, num_iterations);
    const auto [made, residuals, seconds] = solver_->run({sinograms}, std::move(start));
    copy_rows(made, {}, slices, {}, slices.info().size());
    const auto planes = slices.depth() / static_cast<unsigned>(residuals.size()); // with residuals in common
    for (unsigned z = 0; z < slices.depth(); z += planes)
        tell(frame_index() + z / depth, z % depth, residuals[z / planes], seconds);
}

unsigned IterativeSlices::batch_that_pays(const ArrayInfo &in, const SliceRegion &slice) {
    const std::uint64_t pays = device()->is_cpu() ? 16 : 128;
    const auto fit =
        Solver::slices_that_fit(method_, settings(in, slice), in.with_size(in.width, in.height, 1),
                                {GST_TOMO_FORMAT_FLOAT32, slice.width, slice.height, 1}, *device());
    return static_cast<unsigned>(std::clamp<std::uint64_t>(std::min(pays, fit) / in.depth, 1, pays));
}

SolverSettings IterativeSlices::settings(const ArrayInfo &sinogram, const SliceRegion &slice) {
    auto settings = solver_settings();
    if (projector_choice())
        settings.projector_bytes = projector_choice()->bytes(*device(), sinogram, slice);
    settings.iterations = num_iterations;
    settings.tolerance = tolerance;
    settings.given = inputs.held(false);
    if (settings.projector_bytes == 0)
        settings.sweep_memory = ParallelProjector::sweep_memory;
    return settings;
}

GstStructure *iterations_message(std::uint64_t index, const std::vector<double> &residuals,
                                 const std::vector<double> &seconds) {
    auto *told = gst_structure_new("tomo-iterations", "index", G_TYPE_UINT64, index, nullptr);
    set_list(told, "residuals", residuals);
    set_list(told, "seconds", seconds);
    return told;
}

void IterativeSlices::tell(std::uint64_t index, unsigned plane, const std::vector<double> &residuals,
                           const std::vector<double> &seconds) {
    residual.report(residuals.back());
    auto *told = iterations_message(index, residuals, seconds);
    gst_structure_set(told, "plane", G_TYPE_UINT, plane, "slice", G_TYPE_UINT64,
                      guint64{index * input_info().depth + plane}, nullptr);
    post_message(told);
    watch.check_growth(text("array %" G_GUINT64_FORMAT, index), method_, residuals.front(), residuals.back(),
                       residuals.size());
}

} // namespace tomo
