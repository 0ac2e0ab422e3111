// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/solver-run.hpp>
#include <gst/operators/total-variation.hpp>

#include <cmath>
#include <optional>

namespace tomo {

unsigned iterate_split_bregman(SolverRun &run) {
    const auto &settings = run.settings;
    auto &views = run.views.subsets.front();
    const auto volumes = run.volumes();
    const auto penalty = static_cast<float>(settings.penalty),
               threshold = static_cast<float>(settings.lambda / settings.penalty),
               scale = 1.0f / static_cast<float>(run.views.number);
    const bool is_bounded = std::isfinite(settings.minimum) || std::isfinite(settings.maximum);
    const TotalVariation variation(run);
    Array left = run.gather().front(), gradient = run.like(run.x), product = run.like(run.x);
    Array shift = variation.dual(), target = variation.dual();
    std::optional<Array> lag, bounds;
    if (is_bounded) {
        lag = run.filled(run.x.info(), 0.0f);
        bounds = run.filled(run.x.info(), 0.0f);
    }
    if (!run.starts_at_zero)
        run.subtract_projection(views, left);
    unsigned made = 0;
    while (made < settings.iterations) {
        run.back(views, left, gradient);
        variation.add_split_gradient(gradient, target, bounds ? &*bounds : nullptr, scale, penalty);
        run.apply_mask(gradient);
        Array direction = run.copy(gradient);
        Array gradients = run.numbers((std::uint64_t{settings.inner_iterations} + 1) * volumes);
        run.add_norms(gradient, gradients, 0);
        for (unsigned step = 0; step < settings.inner_iterations; step++) {
            Array projected = run.like(left), length = run.numbers(volumes);
            run.forward(views, direction, projected);
            run.back(views, projected, product);
            variation.add_split_product(product, direction, is_bounded, scale, penalty);
            run.apply_mask(product);
            run.add_products(direction, product, length, 0);
            run.move(run.x, direction, gradients, step, length, 1.0f);
            run.move(left, projected, gradients, step, length, -1.0f);
            if (step + 1 == settings.inner_iterations)
                break;
            run.move(gradient, product, gradients, step, length, -1.0f);
            run.add_norms(gradient, gradients, (step + 1) * volumes);
            run.turn(direction, gradient, gradients, step + 1);
        }
        variation.split(shift, target, threshold);
        if (is_bounded)
            variation.split_bounds(*lag, *bounds);
        run.add_norms(left, run.norms, made * volumes);
        if (run.is_done(made++))
            break;
    }
    // What the split leaves beyond the bounds.
    if (is_bounded)
        run.compute.launch(run.kernel("keep_bounds"), WorkSize(run.x.info().samples()),
                           ReadWriteBareBuffer{run.x}, run.mask_argument(), cl_float(settings.minimum),
                           cl_float(settings.maximum), cl_ulong{run.x.info().samples()});
    return made;
}

} // namespace tomo
