// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/solver-run.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>

namespace tomo {

namespace {

// Gradients are at right angles to each other. Rounding brings back the earlier ones, and with them errors
// that cost iterations. So each new gradient is freed of those that are kept.
void free_of_kept(SolverRun &run, Array &gradient, const Array &kept, unsigned number, const Array &norms) {
    auto &compute = run.compute;
    const auto volumes = run.volumes();
    Array parts = run.parts(volumes * number);
    WorkSize size = run.groups(gradient);
    size.global[2] = (number + gradients_at_once - 1) / gradients_at_once;
    compute.launch(run.kernel("products_with_kept"), size, BareBuffer{gradient}, BareBuffer{kept},
                   cl_uint{number}, ReadWriteBareBuffer{parts}, run.count(gradient),
                   cl_uint{compute.device()->prefers_local_memory()});
    Array along = run.numbers(std::uint64_t{number} * volumes);
    run.add_parts(parts, along, 0, number * volumes);
    compute.launch(run.kernel("subtract_kept"), WorkSize(run.count(gradient), volumes),
                   ReadWriteBareBuffer{gradient}, BareBuffer{kept}, cl_uint{number}, BareBuffer{along},
                   BareBuffer{norms}, run.count(gradient));
}

} // namespace

// They are one array.
std::uint64_t most_bytes_of_gradients(const Device &device) {
    constexpr unsigned share = 4;
    return std::min<std::uint64_t>(device.memory_limit() / share, device.max_allocation());
}

unsigned gradients_kept(const SolverSettings &settings, std::uint64_t bytes, const Device &device) {
    constexpr unsigned most = 32; // to read more takes time beside projections of some hundred views
    const auto fit = most_bytes_of_gradients(device) / std::max<std::uint64_t>(bytes, 1);
    return static_cast<unsigned>(
        std::clamp<std::uint64_t>(std::min<std::uint64_t>(fit, settings.iterations), 1, most));
}

unsigned descend_gradients(SolverRun &run) {
    auto &compute = run.compute;
    auto &views = run.views.subsets.front();
    const auto volumes = run.volumes();
    Array residual = run.gather().front(), gradient = run.like(run.x), direction = run.like(run.x);
    if (!run.starts_at_zero)
        run.subtract_projection(views, residual);
    run.back(views, residual, direction);
    run.apply_mask(direction);
    const std::size_t bytes = run.x.info().size();
    const unsigned most_kept = gradients_kept(run.settings, bytes, *compute.device());
    Array kept =
        compute.allocate({GST_TOMO_FORMAT_FLOAT32, run.x.width(), run.x.height(), most_kept * run.x.depth()});
    compute.copy_rows(direction, {}, kept, {}, bytes);
    Array gradients = run.numbers((std::uint64_t{run.settings.iterations} + 1) * volumes);
    run.add_norms(direction, gradients, 0);
    for (unsigned iteration = 0; iteration < run.settings.iterations; iteration++) {
        Array projected = run.like(residual), length = run.numbers(volumes);
        run.forward(views, direction, projected);
        run.add_norms(projected, length, 0);
        run.move(run.x, direction, gradients, iteration, length, 1.0f);
        run.move(residual, projected, gradients, iteration, length, -1.0f);
        run.add_norms(residual, run.norms, iteration * volumes);
        if (run.is_done(iteration))
            return iteration + 1;
        run.back(views, residual, gradient);
        run.apply_mask(gradient);
        free_of_kept(run, gradient, kept, std::min(iteration + 1, most_kept), gradients);
        if (iteration + 1 < most_kept)
            compute.copy_rows(gradient, {}, kept, {.offset = (iteration + 1) * bytes}, bytes);
        run.add_norms(gradient, gradients, (iteration + 1) * volumes);
        run.turn(direction, gradient, gradients, iteration + 1);
    }
    return run.settings.iterations;
}

} // namespace tomo
