// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/solver-run.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace tomo {

Solver::Solver(Compute &compute, SolverMethod method, const SolverSettings &settings)
    : compute_(compute), method_(method), settings_(settings) {}

Solver::~Solver() = default;

std::vector<unsigned> Solver::golden_order(unsigned number) {
    std::vector<unsigned> order(number);
    std::iota(order.begin(), order.end(), 0u);
    // The places of the multiples of the golden ratio in the unit circle, ranked, are a permutation.
    std::vector<double> place(number);
    for (unsigned i = 0; i < number; i++)
        place[i] = std::fmod(i * (std::numbers::phi - 1.0), 1.0);
    std::vector<unsigned> ranked = order;
    std::sort(ranked.begin(), ranked.end(), [&](unsigned a, unsigned b) { return place[a] < place[b]; });
    for (unsigned rank = 0; rank < number; rank++)
        order[ranked[rank]] = rank;
    return order;
}

void Solver::set_geometry(unsigned views, const MakeProjector &make) {
    views_.reset();
    auto made = std::make_unique<SolverViews>();
    made->number = views;
    const bool is_whole = method_ == SolverMethod::gradients || method_ == SolverMethod::split_bregman;
    const unsigned number = is_whole ? 1 : std::clamp(settings_.subsets, 1u, views);
    auto order = golden_order(number);
    if (!settings_.is_in_golden_order)
        std::iota(order.begin(), order.end(), 0u);
    std::vector<cl_uint> numbers;
    for (const unsigned first : order) {
        std::vector<unsigned> own;
        for (unsigned view = first; view < views; view += number)
            own.push_back(view);
        made->subsets.push_back(
            {static_cast<unsigned>(numbers.size()), static_cast<unsigned>(own.size()), make(own), {}, {}});
        numbers.insert(numbers.end(), own.begin(), own.end());
    }
    made->order = compute_.upload(numbers.data(), numbers.size() * sizeof numbers[0]);
    if (method_ == SolverMethod::fista)
        made->gradient_bound = gradient_bound(*made);
    else if (!is_whole)
        make_sums(*made);
    views_ = std::move(made);
}

void Solver::make_sums(SolverViews &views) {
    constexpr std::size_t share = 8; // of the device's memory
    const auto one = views.subsets.front().projector->volume(1).size();
    const bool keeps = views.subsets.size() * one <= compute_.device()->memory_limit() / share;
    Steps steps(compute_);
    for (auto &subset : views.subsets) {
        const auto &projector = *subset.projector;
        const Array ones = filled_array(compute_, projector.volume(1), 1.0f);
        subset.ray_sums = compute_.allocate(projector.projections(1));
        subset.projector->forward(ones, subset.ray_sums);
        if (keeps)
            subset.pixel_sums = pixel_sums_of(compute_, subset);
        steps.done(keeps ? subset.pixel_sums : subset.ray_sums);
    }
}

// No value of a matrix without negative numbers is larger than the largest (M x) / x, for any x > 0 (Collatz,
// Math. Z. 48, 221 (1942)). M* M of ones and of its result are not far from its largest one.
double Solver::gradient_bound(SolverViews &views) {
    Steps steps(compute_);
    double largest = 0.0;
    for (auto &subset : views.subsets) {
        auto &projector = *subset.projector;
        Array once = filled_array(compute_, projector.volume(1), 1.0f),
              twice = compute_.allocate(once.info());
        Array rays = compute_.allocate(projector.projections(1));
        projector.forward(once, rays);
        projector.back(rays, once);
        projector.forward(once, rays);
        projector.back(rays, twice);
        steps.done(twice);
        const Host<const float> below(once), above(twice);
        for (std::size_t i = 0; i < once.info().samples(); i++)
            if (below[i] > 0.0f)
                largest = std::max(largest, double{above[i]} / below[i]);
    }
    return static_cast<double>(views.subsets.size()) * largest;
}

std::uint64_t Solver::slices_that_fit(SolverMethod method, const SolverSettings &settings,
                                      const ArrayInfo &projections, const ArrayInfo &slice,
                                      const Device &device) {
    // Projections, what is computed of them, slices, corrections, and the copies of these that are projected.
    constexpr unsigned copies = 4, share = 3;
    const std::uint64_t one = slice.size(), pair = sizeof(float) * projections.samples() + one;
    const auto fit = [](std::uint64_t room, std::uint64_t size) {
        return room / std::max<std::uint64_t>(size, 1);
    };
    const auto room = device.memory_limit() / share;
    const unsigned dimensions = settings.coupled > 1 ? 3 : 2;
    switch (method) {
    case SolverMethod::gradients: {
        const std::uint64_t kept = gradients_kept(settings, one, device) * one;
        return std::min(fit(room, copies * pair + kept), fit(most_bytes_of_gradients(device), kept));
    }
    case SolverMethod::fista: // three dual arrays, and the gradient
        return fit(room, copies * pair + (3 * dimensions + 1) * one);
    case SolverMethod::split_bregman: // two, the conjugate direction and its product, two for the bounds
        return fit(room, copies * pair + (2 * dimensions + 4) * one);
    case SolverMethod::asd_pocs:
        return fit(room, (copies + 2) * pair);
    case SolverMethod::additive:
    case SolverMethod::multiplicative:
        break;
    }
    return fit(room, copies * pair);
}

Solver::Residuals Solver::run(const Array &projections, Array &slices) {
    if (!views_ || projections.height() != views_->number || projections.depth() != slices.depth() ||
        settings_.coupled == 0 || slices.depth() % settings_.coupled != 0)
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("projections of %s and slices of %s came to a solver of %u views and volumes of %u planes",
                 projections.info().describe().c_str(), slices.info().describe().c_str(),
                 views_ ? views_->number : 0, settings_.coupled));
    const float start = method_ == SolverMethod::multiplicative ? 1.0f : 0.0f;
    Array own = filled_array(compute_, slices.info(), start);
    SolverRun run(compute_, settings_, *views_, projections, own);
    // Throws Flushing where a flush or a stop comes.
    const unsigned made = iterate(run);
    compute_.copy_rows(own, {}, slices, {}, slices.info().size());
    const unsigned volumes = run.volumes();
    Residuals residuals(volumes);
    const Host<const float> left(run.norms), all(run.measured);
    for (unsigned z = 0; z < volumes; z++)
        for (unsigned i = 0; i < made; i++)
            residuals[z].push_back(all[z] > 0.0f ? std::sqrt(double{left[i * volumes + z]} / all[z])
                                                 : std::sqrt(left[i * volumes + z]));
    return residuals;
}

unsigned Solver::iterate(SolverRun &run) const {
    switch (method_) {
    case SolverMethod::additive:
    case SolverMethod::multiplicative:
        return iterate_rays(run, method_);
    case SolverMethod::gradients:
        return descend_gradients(run);
    case SolverMethod::fista:
        return iterate_fista(run);
    case SolverMethod::split_bregman:
        return iterate_split_bregman(run);
    case SolverMethod::asd_pocs:
        return iterate_asd_pocs(run);
    }
    g_assert_not_reached();
}

} // namespace tomo
