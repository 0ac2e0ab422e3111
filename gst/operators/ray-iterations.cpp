// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// SIRT, SART, MLEM and their subsets.
#include <gst/operators/solver-run.hpp>
#include <gst/tomo/device/device.hpp>

namespace tomo {

namespace {

void correct_by_subset(SolverRun &run, SolverSubset &subset, const Array &measured, Array &correction,
                       SolverMethod method, double relaxation, unsigned iteration) {
    auto &compute = run.compute;
    const bool is_additive = method != SolverMethod::multiplicative;
    Array computed = compute.allocate(subset.projector->projections(run.x.depth()));
    run.forward(subset, run.x, computed);
    Array parts = run.parts(run.volumes());
    const cl_uint spread = compute.device()->prefers_local_memory();
    if (is_additive)
        compute.launch(run.kernel("difference"), run.groups(computed), ReadWriteBareBuffer{computed},
                       BareBuffer{measured}, BareBuffer{subset.ray_sums}, ReadWriteBareBuffer{parts},
                       run.count(computed), cl_ulong{subset.ray_sums.info().samples()}, spread);
    else
        compute.launch(run.kernel("quotient"), run.groups(computed), ReadWriteBareBuffer{computed},
                       BareBuffer{measured}, ReadWriteBareBuffer{parts}, run.count(computed), spread);
    run.add_parts(parts, run.norms, iteration * run.volumes(), run.volumes());
    run.back(subset, computed, correction);
    const Array pixel_sums = pixel_sums_of(compute, subset);
    const cl_ulong count = run.count(run.x), plane = pixel_sums.info().samples();
    const auto &settings = run.settings;
    const WorkSize size(count, run.volumes());
    if (is_additive)
        compute.launch(run.kernel("add_correction"), size, ReadWriteBareBuffer{run.x}, BareBuffer{correction},
                       BareBuffer{pixel_sums}, BareBuffer{run.done}, run.mask_argument(),
                       cl_float(relaxation), cl_float(settings.minimum), cl_float(settings.maximum), count,
                       plane);
    else
        compute.launch(run.kernel("multiply_correction"), size, ReadWriteBareBuffer{run.x},
                       BareBuffer{correction}, BareBuffer{pixel_sums}, BareBuffer{run.done},
                       run.mask_argument(), cl_float(settings.minimum), cl_float(settings.maximum), count,
                       plane);
}

} // namespace

void correct_by_rays(SolverRun &run, const std::vector<Array> &measured, Array &correction,
                     SolverMethod method, double relaxation, unsigned iteration) {
    if (run.views.sweep)
        return run.sweep(measured.front(), relaxation, iteration);
    for (std::size_t s = 0; s < measured.size(); s++)
        correct_by_subset(run, run.views.subsets[s], measured[s], correction, method, relaxation, iteration);
}

unsigned iterate_rays(SolverRun &run, SolverMethod method) {
    const std::vector<Array> measured = run.gather();
    Array correction = run.views.sweep ? Array() : run.like(run.x);
    for (unsigned iteration = 0; iteration < run.settings.iterations; iteration++) {
        correct_by_rays(run, measured, correction, method, run.settings.relaxation, iteration);
        if (run.is_done(iteration))
            return iteration + 1;
    }
    return run.settings.iterations;
}

} // namespace tomo
