// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/solver.hpp>
#include <gst/tomo/compute/steps.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace tomo {

namespace {

constexpr unsigned group = 64;
constexpr unsigned gradients_at_once = 4; // in `products_with_kept`

unsigned groups_on(const Device &device) {
    return device.prefers_local_memory() ? 64 : 2 * device.compute_units();
}

// They are one array.
std::uint64_t most_bytes_of_gradients(const Device &device) {
    constexpr unsigned share = 4;
    return std::min<std::uint64_t>(device.memory_limit() / share, device.max_allocation());
}

std::size_t samples_of_slice(const Array &array) { return array.info().plane_samples(); }

} // namespace

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

Kernel Solver::kernel(const char *function) {
    return compute_.kernel(function, text("-D GROUP=%u -D KEPT_AT_ONCE=%u", group, gradients_at_once),
                           "iterative.cl");
}

Array Solver::filled(const ArrayInfo &info, float value) {
    Array array = compute_.allocate(info);
    compute_.fill(array, &value, sizeof value);
    return array;
}

void Solver::set_geometry(unsigned views, const MakeProjector &make) {
    subsets_.clear();
    views_ = views;
    const unsigned number = method_ == SolverMethod::gradients ? 1 : std::clamp(settings_.subsets, 1u, views);
    auto order = golden_order(number);
    if (!settings_.is_in_golden_order)
        std::iota(order.begin(), order.end(), 0u);
    std::vector<cl_uint> numbers;
    std::vector<Subset> subsets;
    for (const unsigned first : order) {
        std::vector<unsigned> own;
        for (unsigned view = first; view < views; view += number)
            own.push_back(view);
        subsets.push_back(
            {static_cast<unsigned>(numbers.size()), static_cast<unsigned>(own.size()), make(own), {}, {}});
        numbers.insert(numbers.end(), own.begin(), own.end());
    }
    order_ = compute_.upload(numbers.data(), numbers.size() * sizeof numbers[0]);
    if (method_ != SolverMethod::gradients) {
        constexpr std::size_t share = 8; // of the device's memory
        const bool keeps =
            number * subsets.front().projector->volume(1).size() <= compute_.device()->memory_limit() / share;
        Steps steps(compute_);
        for (auto &subset : subsets) {
            make_sums(subset, keeps);
            steps.done(keeps ? subset.pixel_sums : subset.ray_sums);
        }
    }
    subsets_ = std::move(subsets);
}

void Solver::make_sums(Subset &subset, bool keeps_pixel_sums) {
    const auto &projector = *subset.projector;
    const Array ones = filled(projector.volume(1), 1.0f);
    subset.ray_sums = compute_.allocate(projector.projections(1));
    subset.projector->forward(ones, subset.ray_sums);
    if (keeps_pixel_sums)
        subset.pixel_sums = pixel_sums_of(subset);
}

Array Solver::pixel_sums_of(Subset &subset) {
    if (subset.pixel_sums)
        return subset.pixel_sums;
    const Array ones = filled(subset.projector->projections(1), 1.0f);
    Array sums = compute_.allocate(subset.projector->volume(1));
    subset.projector->back(ones, sums);
    return sums;
}

void Solver::add_parts(const Array &parts, Array &norms, unsigned first, unsigned slices) {
    compute_.launch(kernel("add_parts"), WorkSize(slices), BareBuffer{parts}, ReadWriteBareBuffer{norms},
                    cl_uint{groups_on(*compute_.device())}, cl_uint{first});
}

void Solver::add_products(const Array &values, const Array &others, Array &norms, unsigned first) {
    auto &device = *compute_.device();
    const unsigned groups = groups_on(device), slices = values.depth();
    Array parts = compute_.allocate({GST_TOMO_FORMAT_COMPLEX64, groups, slices});
    compute_.launch(kernel("products"), WorkSize(std::size_t{groups} * group, slices).groups(group),
                    BareBuffer{values}, BareBuffer{others}, ReadWriteBareBuffer{parts},
                    cl_ulong{samples_of_slice(values)}, cl_uint{device.prefers_local_memory()});
    add_parts(parts, norms, first, slices);
}

// Also looks, where slices may stop, whether all of them did.
bool Solver::is_done(unsigned iteration, const Array &norms, const Array &measured, Array &done) {
    if (settings_.tolerance <= 0.0)
        return false;
    const unsigned slices = done.width();
    compute_.launch(kernel("stop_slices"), WorkSize(slices), BareBuffer{norms}, BareBuffer{measured},
                    ReadWriteBareBuffer{done}, cl_uint{iteration * slices}, cl_float(settings_.tolerance));
    const Host<const cl_uint> is_done(done);
    return std::all_of(is_done.data(), is_done.data() + slices, [](cl_uint one) { return one != 0; });
}

// As many of the first gradients as there is memory for, of `bytes` each.
unsigned Solver::gradients_kept(const SolverSettings &settings, std::uint64_t bytes, const Device &device) {
    constexpr unsigned most = 32; // to read more takes time beside projections of some hundred views
    const auto fit = most_bytes_of_gradients(device) / std::max<std::uint64_t>(bytes, 1);
    return static_cast<unsigned>(
        std::clamp<std::uint64_t>(std::min<std::uint64_t>(fit, settings.iterations), 1, most));
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
    if (method != SolverMethod::gradients)
        return fit(device.memory_limit() / share, copies * pair);
    const std::uint64_t kept = gradients_kept(settings, one, device) * one;
    return std::min(fit(device.memory_limit() / share, copies * pair + kept),
                    fit(most_bytes_of_gradients(device), kept));
}

Solver::Residuals Solver::run(const Array &projections, Array &slices) {
    const unsigned number = slices.depth();
    if (subsets_.empty() || projections.height() != views_ || projections.depth() != number)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("projections of %s and slices of %s came to a solver of %u views",
                         projections.info().describe().c_str(), slices.info().describe().c_str(), views_));
    const auto numbers = [](std::uint64_t count) { return ArrayInfo(GST_TOMO_FORMAT_FLOAT32, count, 1); };
    Array norms = filled(numbers(std::uint64_t{settings_.iterations} * number), 0.0f),
          measured = filled(numbers(number), 0.0f);
    Array done = filled(ArrayInfo(GST_TOMO_FORMAT_UINT32, number, 1), 0.0f);
    const float start = method_ == SolverMethod::multiplicative ? 1.0f : 0.0f;
    Array own = filled(slices.info(), start);
    // Throws Flushing where a flush or a stop comes.
    const unsigned made = method_ == SolverMethod::gradients
                              ? descend(projections, own, norms, measured, done)
                              : iterate(projections, own, norms, measured, done);
    compute_.copy_rows(own, {}, slices, {}, slices.info().size());
    Residuals residuals(number);
    const Host<const float> left(norms), all(measured);
    for (unsigned z = 0; z < number; z++)
        for (unsigned i = 0; i < made; i++)
            residuals[z].push_back(all[z] > 0.0f ? std::sqrt(double{left[i * number + z]} / all[z])
                                                 : std::sqrt(left[i * number + z]));
    return residuals;
}

unsigned Solver::iterate(const Array &projections, Array &slices, Array &norms, const Array &measured,
                         Array &done) {
    const unsigned number = slices.depth();
    auto &device = *compute_.device();
    const unsigned groups = groups_on(device);
    const auto gathered = [&](const Subset &subset) {
        Array own = compute_.allocate(subset.projector->projections(number));
        compute_.input_format("projections", projections.info().format);
        compute_.launch(kernel("gather_views"), WorkSize(own.info()), projections, own, BareBuffer{order_},
                        cl_uint{subset.first}, cl_uint{views_});
        return own;
    };
    std::vector<Array> measured_views;
    for (const auto &subset : subsets_) {
        measured_views.push_back(gathered(subset));
        Array all = measured;
        add_norms(measured_views.back(), all, 0);
    }
    const bool is_additive = method_ == SolverMethod::additive;
    Array correction = compute_.allocate(slices.info());
    Steps steps(compute_);
    for (unsigned iteration = 0; iteration < settings_.iterations; iteration++) {
        for (std::size_t s = 0; s < subsets_.size(); s++) {
            auto &subset = subsets_[s];
            Array computed = compute_.allocate(subset.projector->projections(number));
            subset.projector->forward(slices, computed);
            steps.done(computed);
            Array parts = compute_.allocate({GST_TOMO_FORMAT_COMPLEX64, groups, number});
            compute_.launch(kernel(is_additive ? "difference" : "quotient"),
                            WorkSize(std::size_t{groups} * group, number).groups(group),
                            ReadWriteBareBuffer{computed}, BareBuffer{measured_views[s]},
                            BareBuffer{subset.ray_sums}, ReadWriteBareBuffer{parts},
                            cl_ulong{samples_of_slice(computed)}, cl_uint{device.prefers_local_memory()});
            add_parts(parts, norms, iteration * number, number);
            subset.projector->back(computed, correction);
            steps.done(correction);
            const Array pixel_sums = pixel_sums_of(subset);
            const cl_ulong count = samples_of_slice(slices);
            const auto size = WorkSize(count, number);
            if (is_additive)
                compute_.launch(kernel("add_correction"), size, ReadWriteBareBuffer{slices},
                                BareBuffer{correction}, BareBuffer{pixel_sums}, BareBuffer{done},
                                cl_float(settings_.relaxation), cl_float(settings_.minimum),
                                cl_float(settings_.maximum), count);
            else
                compute_.launch(kernel("multiply_correction"), size, ReadWriteBareBuffer{slices},
                                BareBuffer{correction}, BareBuffer{pixel_sums}, BareBuffer{done},
                                cl_float(settings_.minimum), cl_float(settings_.maximum), count);
        }
        if (is_done(iteration, norms, measured, done))
            return iteration + 1;
    }
    return settings_.iterations;
}

// Gradients are at right angles to each other. Rounding brings back the earlier ones, and with them errors
// that cost iterations. So each new gradient is freed of those that are kept.
void Solver::free_of_kept(Array &gradient, const Array &kept, unsigned number, const Array &norms) {
    auto &device = *compute_.device();
    const unsigned groups = groups_on(device), slices = gradient.depth();
    const cl_ulong count = samples_of_slice(gradient);
    Array parts = compute_.allocate({GST_TOMO_FORMAT_COMPLEX64, groups, slices * number});
    compute_.launch(
        kernel("products_with_kept"),
        WorkSize(std::size_t{groups} * group, slices, (number + gradients_at_once - 1) / gradients_at_once)
            .groups(group),
        BareBuffer{gradient}, BareBuffer{kept}, cl_uint{number}, ReadWriteBareBuffer{parts}, count,
        cl_uint{device.prefers_local_memory()});
    Array along = filled(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, std::uint64_t{number} * slices, 1), 0.0f);
    add_parts(parts, along, 0, number * slices);
    compute_.launch(kernel("subtract_kept"), WorkSize(count, slices), ReadWriteBareBuffer{gradient},
                    BareBuffer{kept}, cl_uint{number}, BareBuffer{along}, BareBuffer{norms}, count);
}

unsigned Solver::descend(const Array &projections, Array &slices, Array &norms, const Array &measured,
                         Array &done) {
    const unsigned number = slices.depth();
    auto &projector = *subsets_.front().projector;
    Array residual = compute_.allocate(projector.projections(number));
    compute_.input_format("projections", projections.info().format);
    compute_.launch(kernel("gather_views"), WorkSize(residual.info()), projections, residual,
                    BareBuffer{order_}, cl_uint{0}, cl_uint{views_});
    Array all = measured;
    add_norms(residual, all, 0);
    Array gradient = compute_.allocate(slices.info()), direction = compute_.allocate(slices.info());
    projector.back(residual, direction);
    const std::size_t bytes = slices.info().size();
    const unsigned most_kept = gradients_kept(settings_, bytes, *compute_.device());
    Array kept =
        compute_.allocate({GST_TOMO_FORMAT_FLOAT32, slices.width(), slices.height(), most_kept * number});
    compute_.copy_rows(direction, {}, kept, {}, bytes);
    const std::uint64_t norms_of_gradients = (std::uint64_t{settings_.iterations} + 1) * number;
    Array gradients = filled(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, norms_of_gradients, 1), 0.0f);
    add_norms(direction, gradients, 0);
    // to += sign product / length along
    const auto move = [&](Array &to, const Array &along, const Array &products, unsigned step,
                          const Array &length, float sign) {
        const cl_ulong count = samples_of_slice(to);
        compute_.launch(kernel("move_along"), WorkSize(count, number), ReadWriteBareBuffer{to},
                        BareBuffer{along}, BareBuffer{products}, BareBuffer{length}, cl_uint{step},
                        cl_float{sign}, BareBuffer{done}, count);
    };
    Steps steps(compute_);
    for (unsigned iteration = 0; iteration < settings_.iterations; iteration++) {
        Array projected = compute_.allocate(residual.info()),
              length = filled(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, number, 1), 0.0f);
        projector.forward(direction, projected);
        steps.done(projected);
        add_norms(projected, length, 0);
        move(slices, direction, gradients, iteration, length, 1.0f);
        move(residual, projected, gradients, iteration, length, -1.0f);
        add_norms(residual, norms, iteration * number);
        if (is_done(iteration, norms, measured, done))
            return iteration + 1;
        projector.back(residual, gradient);
        steps.done(gradient);
        free_of_kept(gradient, kept, std::min(iteration + 1, most_kept), gradients);
        if (iteration + 1 < most_kept)
            compute_.copy_rows(gradient, {}, kept, {.offset = (iteration + 1) * bytes}, bytes);
        add_norms(gradient, gradients, (iteration + 1) * number);
        const cl_ulong count = samples_of_slice(direction);
        compute_.launch(kernel("turn_direction"), WorkSize(count, number), ReadWriteBareBuffer{direction},
                        BareBuffer{gradient}, BareBuffer{gradients}, cl_uint{iteration + 1}, count);
    }
    return settings_.iterations;
}

} // namespace tomo
