// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/solver-run.hpp>
#include <gst/operators/total-variation.hpp>
#include <gst/tomo/device/device.hpp>

namespace tomo {

unsigned iterate_asd_pocs(SolverRun &run) {
    const auto &settings = run.settings;
    const auto volumes = run.volumes();
    auto &compute = run.compute;
    const TotalVariation variation(run);
    const std::vector<Array> measured = run.gather();
    Array correction = run.views.sweep ? Array() : run.like(run.x), gradient = run.like(run.x);
    Array descent = run.numbers(volumes); // length of a step along the gradient
    // |x - from| of each volume, squared
    const auto distances = [&](const Array &from) {
        Array sums = run.numbers(volumes), parts = run.parts(volumes);
        compute.launch(run.kernel("distances"), run.groups(run.x), BareBuffer{run.x}, BareBuffer{from},
                       ReadWriteBareBuffer{parts}, run.count(run.x),
                       cl_uint{compute.device()->prefers_local_memory()});
        run.add_parts(parts, sums, 0, volumes);
        return sums;
    };
    double relaxation = settings.relaxation;
    for (unsigned iteration = 0; iteration < settings.iterations; iteration++) {
        const Array start = run.copy(run.x);
        correct_by_rays(run, measured, correction, SolverMethod::asd_pocs, relaxation, iteration);
        if (run.is_done(iteration) || iteration + 1 == settings.iterations)
            return iteration + 1; // the result is one that data and bounds have corrected last
        const Array by_data = distances(start), met = run.copy(run.x);
        if (iteration == 0)
            compute.launch(run.kernel("first_descent"), WorkSize(volumes), ReadWriteBareBuffer{descent},
                           BareBuffer{by_data}, cl_float(settings.descent));
        for (unsigned step = 0; step < settings.inner_iterations; step++) {
            variation.gradient(gradient);
            run.apply_mask(gradient);
            Array length = run.numbers(volumes);
            run.add_norms(gradient, length, 0);
            compute.launch(run.kernel("descend_unit"), WorkSize(run.count(run.x), volumes),
                           ReadWriteBareBuffer{run.x}, BareBuffer{gradient}, BareBuffer{length},
                           BareBuffer{descent}, BareBuffer{run.done}, run.count(run.x));
            run.steps.done(run.x);
        }
        const Array by_variation = distances(met);
        compute.launch(run.kernel("adapt_descent"), WorkSize(volumes), ReadWriteBareBuffer{descent},
                       BareBuffer{by_variation}, BareBuffer{by_data}, BareBuffer{run.norms},
                       BareBuffer{run.measured}, cl_uint{iteration * volumes},
                       cl_float(settings.descent_limit), cl_float(settings.enough),
                       cl_float(settings.descent_reduction));
        relaxation *= settings.relaxation_reduction;
    }
    return settings.iterations;
}

} // namespace tomo
