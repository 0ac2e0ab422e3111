// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/solver-run.hpp>
#include <gst/tomo/device/device.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

unsigned groups_on(const Device &device, std::uint64_t samples) {
    constexpr std::uint64_t large = 1 << 22;
    // A single large volume, too, keeps a GPU busy.
    return !device.prefers_local_memory() ? 2 * device.compute_units() : samples < large ? 64 : 512;
}

Kernel solver_kernel(Compute &compute, const SolverSettings &settings, bool is_masked, const char *function,
                     const char *file, const std::string &more) {
    return compute.kernel(function,
                          text("-D GROUP=%u -D KEPT_AT_ONCE=%u -D DIMENSIONS=%u%s%s", solver_group,
                               gradients_at_once, settings.neighbours() > 1 ? 3u : 2u,
                               is_masked ? " -D MASKED" : "",
                               compute.device()->prefers_local_memory() ? "" : " -D ROWS") +
                              more,
                          file);
}

Array filled_array(Compute &compute, const ArrayInfo &info, float value) {
    Array array = compute.allocate(info);
    compute.fill(array, &value, sizeof value);
    return array;
}

void raise_sums(Projector &projector, Array &sums) {
    if (&projector.of_sums() == &projector)
        return;
    constexpr float share = 0.25f;
    const Host<float> values(sums);
    const auto count = sums.info().samples();
    const float least = share * *std::max_element(values.data(), values.data() + count);
    std::transform(values.data(), values.data() + count, values.data(),
                   [&](float value) { return std::max(value, least); });
}

Array pixel_sums_of(Compute &compute, SolverSubset &subset) {
    if (subset.pixel_sums)
        return subset.pixel_sums;
    const Array ones = filled_array(compute, subset.projector->projections(1), 1.0f);
    Array sums = compute.allocate(subset.projector->volume(1));
    subset.projector->of_sums().back(ones, sums);
    raise_sums(*subset.projector, sums);
    return sums;
}

SolverRun::SolverRun(Compute &compute, const SolverSettings &settings, SolverViews &views,
                     std::vector<Array> projections, Array &x, const Array &mask)
    : compute(compute), settings(settings), views(views), x(x), mask(mask),
      norms(numbers(std::uint64_t{settings.iterations} * volumes())), measured(numbers(volumes())),
      done(filled(ArrayInfo(GST_TOMO_FORMAT_UINT32, volumes(), 1), 0.0f)), steps(compute),
      projections_(std::move(projections)) {}

Kernel SolverRun::kernel(const char *function, const char *file) const {
    return solver_kernel(compute, settings, static_cast<bool>(mask), function, file);
}

Array SolverRun::filled(const ArrayInfo &info, float value) const {
    return filled_array(compute, info, value);
}

Array SolverRun::numbers(std::uint64_t count) const {
    return filled(ArrayInfo(GST_TOMO_FORMAT_FLOAT32, count, 1), 0.0f);
}

Array SolverRun::copy(const Array &array) const {
    Array result = like(array);
    compute.copy_rows(array, {}, result, {}, array.info().size());
    return result;
}

std::vector<Array> SolverRun::gather() {
    std::vector<Array> all;
    compute.input_format("projections", projections_.front().info().format);
    const auto gather_views = compute.kernel("gather_views", {}, "gather-views.cl");
    for (const auto &subset : views.subsets) {
        Array own = compute.allocate(subset.projector->projections(x.depth()));
        // Views of a subset come one behind the other, so those of an array of projections do as well.
        unsigned row = 0, first = 0;
        for (const auto &some : projections_) {
            const unsigned end = first + some.height(), begin = row;
            while (row < subset.number && subset.view(row) < end)
                row++;
            if (row > begin)
                compute.launch(gather_views, WorkSize(own.width(), row - begin, own.depth()), some,
                               ReadWrite{own}, cl_uint{subset.view(begin) - first}, cl_uint{subset.step},
                               cl_uint{begin}, cl_uint{own.height()}, cl_uint{some.height()});
            first = end;
        }
        add_norms(own, measured, 0);
        all.push_back(std::move(own));
    }
    projections_.clear();
    return all;
}

void SolverRun::forward(SolverSubset &subset, const Array &volume, Array &projections) {
    subset.projector->forward(volume, projections);
    steps.done(projections);
}

void SolverRun::back(SolverSubset &subset, const Array &projections, Array &volume) {
    subset.projector->back(projections, volume);
    steps.done(volume);
}

void SolverRun::subtract_projection(SolverSubset &subset, Array &measured) {
    Array computed = like(measured);
    forward(subset, x, computed);
    const cl_ulong samples = computed.info().samples();
    compute.launch(kernel("add_scaled"), WorkSize(samples), ReadWriteBareBuffer{computed},
                   BareBuffer{measured}, -1.0f, samples);
    measured = std::move(computed);
}

void SolverRun::apply_mask(Array &gradient) const {
    if (!mask)
        return;
    const cl_ulong samples = gradient.info().samples();
    compute.launch(kernel("mask_gradient"), WorkSize(samples), ReadWriteBareBuffer{gradient},
                   BareBuffer{mask}, samples);
}

unsigned SolverRun::groups_of_volume() const { return groups_on(*compute.device(), count(x)); }

WorkSize SolverRun::groups(const Array &values) const {
    return WorkSize(std::size_t{groups_of_volume()} * solver_group, values.info().samples() / count(values))
        .groups(solver_group);
}

Array SolverRun::parts(unsigned volumes) const {
    return compute.allocate({GST_TOMO_FORMAT_COMPLEX64, groups_of_volume(), volumes});
}

void SolverRun::add_parts(const Array &parts, Array &sums, unsigned first, unsigned volumes) const {
    // CPUs have few parts.
    const std::size_t items = compute.device()->prefers_local_memory() ? solver_group : 1;
    compute.launch(kernel("add_parts"), WorkSize(volumes * items).groups(items), BareBuffer{parts},
                   ReadWriteBareBuffer{sums}, cl_uint{groups_of_volume()}, cl_uint{first});
}

void SolverRun::add_products(const Array &values, const Array &others, Array &sums, unsigned first) const {
    Array own = parts(volumes());
    compute.launch(kernel("products"), groups(values), BareBuffer{values}, BareBuffer{others},
                   ReadWriteBareBuffer{own}, count(values),
                   cl_uint{compute.device()->prefers_local_memory()});
    add_parts(own, sums, first, volumes());
}

void SolverRun::sweep(const Array &measured, double relaxation, unsigned iteration) {
    if (mask && !swept_mask_)
        swept_mask_ = views.sweep->packed(mask);
    const Array squares =
        views.sweep->run(measured, x,
                         {static_cast<float>(relaxation), static_cast<float>(settings.minimum),
                          static_cast<float>(settings.maximum), done, settings.coupled, swept_mask_},
                         steps);
    Array own = parts(volumes());
    compute.launch(kernel("sums"), groups(squares), BareBuffer{squares}, ReadWriteBareBuffer{own},
                   count(squares), cl_uint{compute.device()->prefers_local_memory()});
    add_parts(own, norms, iteration * volumes(), volumes());
}

void SolverRun::move(Array &to, const Array &along, const Array &products, unsigned step,
                     const Array &lengths, float sign) const {
    compute.launch(kernel("move_along"), WorkSize(count(to), volumes()), ReadWriteBareBuffer{to},
                   BareBuffer{along}, BareBuffer{products}, BareBuffer{lengths}, cl_uint{step},
                   cl_float{sign}, BareBuffer{done}, count(to));
}

void SolverRun::turn(Array &direction, const Array &gradient, const Array &gradients, unsigned step) const {
    compute.launch(kernel("turn_direction"), WorkSize(count(direction), volumes()),
                   ReadWriteBareBuffer{direction}, BareBuffer{gradient}, BareBuffer{gradients}, cl_uint{step},
                   count(direction));
}

bool SolverRun::is_done(unsigned iteration) {
    seconds.push_back(1e-6 * static_cast<double>(g_get_monotonic_time() - start_));
    if (watch)
        watch({iteration + 1, x, [this](unsigned first, unsigned end) { return residuals(first, end); }});
    if (settings.tolerance <= 0.0)
        return false;
    compute.launch(kernel("stop_slices"), WorkSize(volumes()), BareBuffer{norms}, BareBuffer{measured},
                   ReadWriteBareBuffer{done}, cl_uint{iteration * volumes()}, cl_float(settings.tolerance));
    const Host<const cl_uint> is_done(done);
    return std::all_of(is_done.data(), is_done.data() + volumes(), [](cl_uint one) { return one != 0; });
}

Solver::Residuals SolverRun::residuals(unsigned first, unsigned end) const {
    const Host<const float> left(norms), all(measured);
    Solver::Residuals residuals(volumes());
    for (unsigned z = 0; z < volumes(); z++)
        for (unsigned i = first; i < end; i++) {
            const double square = left[i * volumes() + z];
            residuals[z].push_back(std::sqrt(all[z] > 0.0f ? square / all[z] : square));
        }
    return residuals;
}

} // namespace tomo
