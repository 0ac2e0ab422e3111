// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/solver-run.hpp>
#include <gst/operators/total-variation.hpp>
#include <gst/tomo/device/device.hpp>

#include <cmath>
#include <utility>

namespace tomo {

namespace {

// Nesterov's numbers.
class Momentum {
  public:
    float next() {
        const double following = (1.0 + std::sqrt(1.0 + 4.0 * t_ * t_)) / 2.0;
        return static_cast<float>((std::exchange(t_, following) - 1.0) / following);
    }

  private:
    double t_ = 1.0;
};

} // namespace

unsigned iterate_fista(SolverRun &run) {
    auto &compute = run.compute;
    const auto &settings = run.settings;
    const auto number = static_cast<double>(run.views.subsets.size());
    const std::vector<Array> measured = run.gather();
    const TotalVariation variation(run);
    const double size = run.views.gradient_bound > 0.0 ? 1.0 / run.views.gradient_bound : 0.0;
    // Of the total variation, where the data term is half the square of a difference of pixels.
    const auto weight = static_cast<float>(settings.lambda * run.views.number * size);
    Array ahead = run.copy(run.x), gradient = run.like(run.x);
    TotalVariation::Denoiser denoiser(variation);
    Momentum momentum;
    for (unsigned iteration = 0; iteration < settings.iterations; iteration++) {
        for (std::size_t s = 0; s < measured.size(); s++) {
            auto &subset = run.views.subsets[s];
            Array computed = run.like(measured[s]);
            run.forward(subset, ahead, computed);
            Array parts = run.parts(run.volumes());
            compute.launch(run.kernel("plain_difference"), run.groups(computed),
                           ReadWriteBareBuffer{computed}, BareBuffer{measured[s]}, ReadWriteBareBuffer{parts},
                           run.count(computed), cl_uint{compute.device()->prefers_local_memory()});
            run.add_parts(parts, run.norms, iteration * run.volumes(), run.volumes());
            run.back(subset, computed, gradient);
            computed = {}; // steps of the dual take its place
            compute.launch(run.kernel("add_scaled"), WorkSize(gradient.info().samples()),
                           ReadWriteBareBuffer{gradient}, BareBuffer{ahead}, cl_float(number * size),
                           cl_ulong{gradient.info().samples()});
            // The dual of the last iteration is a good start.
            Momentum of_dual;
            const bool smooths = weight > 0.0f;
            for (unsigned step = 0; smooths && step < settings.inner_iterations; step++) {
                const bool is_last = step + 1 == settings.inner_iterations;
                denoiser.step(gradient, weight, is_last ? 0.0f : of_dual.next());
                run.steps.done(denoiser.dual());
            }
            denoiser.rest();
            variation.take_denoised(gradient, denoiser.dual(), smooths ? weight : 0.0f, momentum.next(),
                                    ahead);
        }
        if (run.is_done(iteration))
            return iteration + 1;
    }
    return settings.iterations;
}

} // namespace tomo
