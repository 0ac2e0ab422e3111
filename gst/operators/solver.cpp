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

namespace {

bool divides_by_sums(SolverMethod method) {
    return method == SolverMethod::additive || method == SolverMethod::asd_pocs ||
           method == SolverMethod::multiplicative;
}

// Subsets that the views are taken in.
unsigned subsets_of(SolverMethod method, const SolverSettings &settings, unsigned views) {
    const bool is_whole = method == SolverMethod::gradients || method == SolverMethod::split_bregman;
    return is_whole ? 1 : std::clamp(settings.subsets, 1u, views);
}

// Whether a ViewSweep takes them one by one.
bool is_swept(SolverMethod method, const SolverSettings &settings, unsigned views) {
    return settings.sweep_memory && divides_by_sums(method) && method != SolverMethod::multiplicative &&
           subsets_of(method, settings, views) == views;
}

} // namespace

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
    const unsigned number = subsets_of(method_, settings_, views);
    auto order = golden_order(number);
    if (!settings_.is_in_golden_order)
        std::iota(order.begin(), order.end(), 0u);
    if (is_swept(method_, settings_, views)) {
        std::vector<unsigned> all(views);
        std::iota(all.begin(), all.end(), 0u);
        auto whole = make(all);
        made->sweep = whole->sweep(order);
        g_assert(made->sweep);
        made->subsets.push_back({0, views, 1, std::move(whole), {}, {}});
        views_ = std::move(made);
        return;
    }
    for (const unsigned first : order) {
        std::vector<unsigned> own;
        for (unsigned view = first; view < views; view += number)
            own.push_back(view);
        made->subsets.push_back({first, static_cast<unsigned>(own.size()), number, make(own), {}, {}});
    }
    if (method_ == SolverMethod::fista)
        made->gradient_bound = gradient_bound(*made);
    else if (divides_by_sums(method_))
        make_sums(*made);
    views_ = std::move(made);
}

bool keeps_pixel_sums(unsigned subsets, std::uint64_t slice, const Device &device) {
    constexpr std::size_t share = 8; // of the device's memory
    return subsets * slice <= device.memory_limit() / share;
}

void Solver::make_sums(SolverViews &views) {
    const bool keeps =
        keeps_pixel_sums(static_cast<unsigned>(views.subsets.size()),
                         views.subsets.front().projector->volume(1).size(), *compute_.device());
    Steps steps(compute_);
    for (auto &subset : views.subsets) {
        const auto &projector = *subset.projector;
        const Array ones = filled_array(compute_, projector.volume(1), 1.0f);
        subset.ray_sums = compute_.allocate(projector.projections(1));
        subset.projector->of_sums().forward(ones, subset.ray_sums);
        raise_sums(*subset.projector, subset.ray_sums);
        if (keeps)
            subset.pixel_sums = pixel_sums_of(compute_, subset);
        steps.done(keeps ? subset.pixel_sums : subset.ray_sums);
    }
}

// The largest value of A*A where A has negative weights, for a smooth vector of no negative numbers. Powers
// come near from below.
double Solver::value_by_powers(Projector &projector, Steps &steps) {
    constexpr unsigned powers = 12;
    constexpr double reserve = 1.01;
    Array vector = filled_array(compute_, projector.volume(1), 1.0f);
    Array rays = compute_.allocate(projector.projections(1));
    double value = 0.0;
    for (unsigned power = 0; power < powers; power++) {
        {
            const Host<float> samples(vector);
            const auto count = vector.info().samples();
            const double length =
                std::sqrt(std::inner_product(samples.data(), samples.data() + count, samples.data(), 0.0));
            if (power > 0)
                value = length;
            if (length == 0.0)
                break;
            std::transform(samples.data(), samples.data() + count, samples.data(),
                           [&](float sample) { return static_cast<float>(sample / length); });
        }
        projector.forward(vector, rays);
        projector.back(rays, vector);
        steps.done(vector);
    }
    return reserve * value;
}

// No value of a matrix without negative numbers is larger than the largest (M x) / x, for any x > 0 (Collatz,
// Math. Z. 48, 221 (1942)). M* M of ones and of its result are not far from its largest one.
double Solver::gradient_bound(SolverViews &views) {
    const auto subsets = static_cast<unsigned>(views.subsets.size());
    const unsigned groups =
        groups_on(*compute_.device(), views.subsets.front().projector->volume(1).samples());
    Array parts = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, groups, subsets});
    const auto largest_quotients =
        solver_kernel(compute_, settings_, false, "largest_quotients", "iterative.cl");
    const float none = 0.0f;
    compute_.fill(parts, &none, sizeof none);
    Steps steps(compute_);
    double by_powers = 0.0;
    for (unsigned s = 0; s < subsets; s++) {
        auto &projector = *views.subsets[s].projector;
        if (&projector.of_sums() != &projector) {
            by_powers = std::max(by_powers, value_by_powers(projector, steps));
            continue;
        }
        Array once = filled_array(compute_, projector.volume(1), 1.0f),
              twice = compute_.allocate(once.info());
        Array rays = compute_.allocate(projector.projections(1));
        projector.forward(once, rays);
        projector.back(rays, once);
        projector.forward(once, rays);
        projector.back(rays, twice);
        compute_.launch(largest_quotients, WorkSize(std::size_t{groups} * solver_group).groups(solver_group),
                        BareBuffer{twice}, BareBuffer{once}, ReadWriteBareBuffer{parts},
                        cl_ulong{once.info().samples()}, cl_uint{compute_.device()->prefers_local_memory()},
                        cl_uint{s * groups});
        steps.done(parts);
    }
    const Host<const float> quotients(parts);
    const double largest = *std::max_element(quotients.data(), quotients.data() + subsets * groups);
    constexpr double rounding = 1.0 + 0x1p-21; // of a quotient in float32: 2.5 units in the last place
    return subsets * std::max(largest * rounding, by_powers);
}

namespace {

// Bytes of a run, for a slice and its projections in float32.
struct Held {
    std::uint64_t per_slice; // of a stack
    std::uint64_t fixed;     // for all slices together
    std::uint64_t largest;   // in one piece, per slice
};

// Without what a sweep holds.
Held held_by(SolverMethod method, const SolverSettings &settings, unsigned views, std::uint64_t rays,
             std::uint64_t slice, const Device &device) {
    const bool has_sweep = is_swept(method, settings, views);
    const unsigned subsets = has_sweep ? 1 : subsets_of(method, settings, views);
    const std::uint64_t part = rays / subsets;
    // What a projector copies: a slice in two ways, or projections with a byte for each ray.
    const std::uint64_t copies =
        has_sweep || settings.projector_bytes > 0 ? 0 : std::max(2 * slice, part + part / 4);
    const std::uint64_t dual = (settings.neighbours() > 1 ? 3 : 2) * slice;
    Held held{(1 + settings.given) * slice + rays + copies, 0, std::max(slice, part)};
    const auto add_sums = [&] { // the computed projections and the correction likewise
        held.per_slice += has_sweep ? 0 : part + slice;
        held.fixed =
            rays + (has_sweep ? 0 : slice * (keeps_pixel_sums(subsets, slice, device) ? subsets : 1));
    };
    switch (method) {
    case SolverMethod::additive:
    case SolverMethod::multiplicative:
        add_sums();
        break;
    case SolverMethod::asd_pocs: // and the gradient, x before and behind the corrections
        add_sums();
        held.per_slice += 3 * slice;
        break;
    case SolverMethod::gradients: { // the gradient, its direction, that one's projection
        const std::uint64_t kept = gradients_kept(settings, slice, device) * slice;
        held.per_slice += rays + 2 * slice + kept;
        held.largest = std::max(held.largest, kept);
        break;
    }
    case SolverMethod::fista: // computed projections, x ahead, the gradient, slices without noise, two duals
        held.per_slice += part + 3 * slice + 2 * dual;
        // On GPUs a third dual instead of the last slices, while nothing is projected.
        if (device.prefers_local_memory())
            held.per_slice += dual - slice - std::min(dual - slice, part + copies + settings.projector_bytes);
        held.largest = std::max(held.largest, dual);
        break;
    case SolverMethod::split_bregman: // gradient, direction and their products, two duals, and two for bounds
        held.per_slice += rays + 5 * slice + 2 * dual;
        held.largest = std::max(held.largest, dual);
        break;
    }
    held.fixed += settings.projector_bytes;
    return held;
}

} // namespace

std::uint64_t Solver::slices_that_fit(SolverMethod method, const SolverSettings &settings,
                                      const ArrayInfo &projections, const ArrayInfo &slice,
                                      const Device &device) {
    constexpr unsigned share = 3; // for the rest of the stream
    const auto held = held_by(method, settings, projections.height, sizeof(float) * projections.samples(),
                              slice.size(), device);
    const auto of_device = device.memory_limit() / share;
    const auto room = of_device - std::min<std::uint64_t>(of_device, held.fixed);
    const auto per_slice = held.per_slice + projections.size() + slice.size();
    const auto fit = [](std::uint64_t room, std::uint64_t size) {
        return room / std::max<std::uint64_t>(size, 1);
    };
    const auto most = std::min({fit(room, per_slice), fit(device.max_allocation(), held.largest),
                                method == SolverMethod::gradients
                                    ? fit(most_bytes_of_gradients(device),
                                          gradients_kept(settings, slice.size(), device) * slice.size())
                                    : G_MAXUINT64});
    if (!is_swept(method, settings, projections.height))
        return most;
    // A sweep takes several slices side by side, so it holds more than so many times those of one.
    const auto takes = [&](std::uint64_t slices) {
        const auto swept = settings.sweep_memory(
            device, projections, slice.with_size(slice.width, slice.height, slices), settings.given > 0);
        return swept.largest <= device.max_allocation() && slices * per_slice + swept.all <= room;
    };
    std::uint64_t fits = 0, fails = std::min<std::uint64_t>(most, G_MAXINT16) + 1;
    while (fails - fits > 1) {
        const auto tried = fits + (fails - fits) / 2;
        (takes(tried) ? fits : fails) = tried;
    }
    return fits;
}

std::uint64_t Solver::bytes_of_run(SolverMethod method, const SolverSettings &settings,
                                   const ArrayInfo &projections, const ArrayInfo &slices,
                                   const Device &device) {
    const auto held = held_by(method, settings, projections.height, sizeof(float) * projections.samples(),
                              slices.size(), device);
    const auto swept = is_swept(method, settings, projections.height)
                           ? settings.sweep_memory(device, projections, slices, settings.given > 0)
                           : ViewSweep::Memory{0, 0};
    if (std::max(held.largest, swept.largest) > device.max_allocation())
        return G_MAXUINT64;
    return held.per_slice + held.fixed + swept.all;
}

void Solver::copy_given(Compute &compute, const Array &given, Array &to, bool is_mask) {
    compute.input_format("given", given.info().format);
    compute.launch(compute.kernel("copy_given", {}, "copy-given.cl"), WorkSize(to.info()), given,
                   ReadWrite{to}, cl_uint{is_mask});
}

Solver::Solution Solver::run(std::vector<Array> projections, Start start) {
    const ArrayInfo first = projections.empty() ? ArrayInfo() : projections.front().info();
    unsigned views = 0;
    for (const auto &some : projections)
        views += some.info() == first.with_size(first.width, some.height(), first.depth) ? some.height() : 0;
    if (!views_ || views != views_->number || settings_.coupled == 0 || first.depth % settings_.coupled != 0)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%zu arrays of projections, the first one of %s, came to a solver of %u views and "
                         "volumes of %u planes",
                         projections.size(), first.describe().c_str(), views_ ? views_->number : 0,
                         settings_.coupled));
    const auto shape = views_->subsets.front().projector->volume(first.depth);
    for (const auto &given : {start.slices, start.mask})
        if (given && given.info() != shape)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("a start or a mask of %s came to a solver; wanted %s",
                             given.info().describe().c_str(), shape.describe().c_str()));
    Array x = start.slices
                  ? start.slices
                  : filled_array(compute_, shape, method_ == SolverMethod::multiplicative ? 1.0f : 0.0f);
    SolverRun run(compute_, settings_, *views_, std::move(projections), x, start.mask);
    run.starts_at_zero = !start.slices;
    run.watch = std::move(start.watch);
    // Throws Flushing where a flush or a stop comes.
    const unsigned made = iterate(run);
    return {x, run.residuals(0, made), run.seconds};
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
