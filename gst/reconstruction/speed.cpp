// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/devices/shared-line.hpp>
#include <gst/reconstruction/general-volume.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/speed.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/device/context.hpp>

#include <algorithm>
#include <functional>
#include <queue>

namespace tomo::reconstruction {

// For each compute unit, measured by tools/bench on two cores and on the 132 multiprocessors of an H200: 25e9
// and 4.2e12 updates; in the general geometry 1.6e9 (0.3e9 about a tilted axis) and 0.84e12, in iterations
// there 26e6 and 55e9.
Rates rates_of(bool is_cpu, double compute_units, double reading) {
    constexpr double disk = 1e9, least_reading = 1e6;
    const double units = compute_units > 0.0 ? compute_units : 1.0;
    return {.updates = units * (is_cpu ? 12e9 : 30e9),
            .general = units * (is_cpu ? 0.5e9 : 6.4e9),
            .general_iterations = units * (is_cpu ? 13e6 : 0.41e9),
            .view_by_view = is_cpu ? 5.0 : 18.0,
            .batch = is_cpu ? 16u : 128u,
            .least_batch = is_cpu ? 0.6 : 0.0,
            .single_slice = is_cpu ? 0.3 : 0.0,
            .samples = units * (is_cpu ? 50e6 : 150e6),
            .reading = reading > 0.0 ? std::max(reading, least_reading) : disk,
            .writing = disk,
            .start = is_cpu ? 0.3 : 0.5,
            .next_start = 0.1};
}

namespace {

// Fewer slices than a batch take longer for each of them: these are the slices of whole batches whose time
// they take.
double slices_of_whole_batches(unsigned slices, const Rates &rates) {
    const unsigned whole = slices / rates.batch, left = slices % rates.batch;
    const double least = rates.batch * (left == 0 ? 0.0 : left == 1 ? rates.single_slice : rates.least_batch);
    return whole * static_cast<double>(rates.batch) + std::max<double>(left, least);
}

// Backprojections of a slice that take as long as one forth and back, and times that a split goes so.
constexpr double pair = 2.5, pairs_of_split = 3.5;

// Backprojections of a slice, a view at a time, that an iteration in a parallel beam takes, by processor time
// on two cores (docs/reconstruct.md).
double views_of_iteration(const Settings &settings, double views, const Rates &rates) {
    // All that is done with pixels alone, however many views there are.
    constexpr double subset = 75.0, proximal = 350.0, split = 650.0, descent = 1400.0;
    const double subsets = std::clamp<double>(settings.subsets, 1.0, views);
    double all = views * (goes_view_by_view(settings)  ? rates.view_by_view
                          : settings.method.is("sbtv") ? pairs_of_split * pair
                                                       : pair);
    if (subsets > 1.0)
        all += subsets * subset;
    if (settings.method.is("fista"))
        all += subsets * proximal;
    else if (settings.method.is("sbtv"))
        all += split;
    else if (settings.method.is("asdpocs"))
        all += descent;
    return all;
}

// By which so many slices come about, with nothing to wait for.
double seconds_of_slices(const Plan &plan, const Settings &settings, const Inspection &scan, unsigned slices,
                         const Rates &rates) {
    const auto method = chosen_method(settings, scan, plan.axis.position).method;
    const double pixels = static_cast<double>(plan.shape.plane_samples());
    // Rows of both half turns are joined to one.
    const double views =
        static_cast<double>(scan.views) / (joins_half_turns(settings, scan, plan.axis.position) ? 2.0 : 1.0);
    if (is_general(settings, scan)) {
        if (method != Method::iterative)
            return slices * pixels * views / rates.general;
        // All that rays pass, of which the slices are a part.
        const auto grid = GeneralVolume(settings, scan, plan.axis.position).made();
        return static_cast<double>(grid.x.count) * grid.y.count * grid.z.count * views *
               iterations_of(settings) / rates.general_iterations;
    }
    // As many updates would take as long as the samples of a Fourier reconstruction.
    constexpr double updates_for_sample = 250.0;
    const double columns = field_of_slices(settings, scan, plan.axis.position).columns,
                 of_transform = updates_for_sample * columns * views;
    if (method == Method::dfi)
        return slices * of_transform / rates.updates;
    if (method == Method::fbp)
        return slices * pixels * views / rates.updates;
    // Iterations make whole slices, which are cropped then.
    double updates = columns * columns * views_of_iteration(settings, views, rates);
    if (settings.projector.is("fourier"))
        updates += (settings.method.is("sbtv") ? pairs_of_split : 1.0) *
                   (2.0 * of_transform - pair * columns * columns * views);
    return slices_of_whole_batches(slices, rates) * std::max(updates, 0.0) * iterations_of(settings) /
           rates.updates;
}

// Behind its start. Steps of a dataflow overlap, so the slowest one counts; where projections are held,
// slices wait for them.
double seconds_of_slab(const Plan &plan, const Slab &slab, const Settings &settings, const Inspection &scan,
                       const Rates &rates) {
    const double samples_of_row = static_cast<double>(scan.image.width) * static_cast<double>(scan.views);
    const double bytes_of_sample = static_cast<double>(gst_tomo_format_get_size(scan.image.format));
    const double image = static_cast<double>(plan.shape.plane_samples());
    const bool is_held =
        needs_projections(settings, scan) && (!is_general(settings, scan) || !settings.rings.is("none"));
    const double sample = plan.join.empty() ? plan.shape.sample_size() : sizeof(float);
    const double scans =
        std::max<double>(static_cast<double>(slab.scans.size()), 1.0); // that make its slices
    const double slices = settings.result.is("slices")
                              ? scans * seconds_of_slices(plan, settings, scan, slab.images, rates)
                              : 0.0;
    const double samples = scans * slab.rows.count * samples_of_row;
    const double before = std::max(samples * bytes_of_sample / rates.reading, samples / rates.samples);
    const double behind = std::max(slices, slab.images * image * sample / rates.writing);
    return is_held ? before + behind : std::max(before, behind);
}

} // namespace

double expected_seconds(const Plan &plan, const Settings &settings, const Inspection &scan,
                        const Rates &rates) {
    double seconds = 0.0;
    for (const auto &slab : plan.slabs)
        seconds += rates.start + seconds_of_slab(plan, slab, settings, scan, rates);
    if (!plan.join.empty())
        seconds += rates.start + static_cast<double>(plan.shape.size()) / rates.writing;
    return seconds;
}

double expected_seconds(const Plan &plan, const Settings &settings, const Inspection &scan,
                        const std::vector<Workers> &workers) {
    std::vector<Rates> rates;
    // When a worker is free, and of which kind it is.
    using Free = std::pair<double, std::size_t>;
    std::priority_queue<Free, std::vector<Free>, std::greater<>> free;
    for (const auto &kind : workers) {
        auto of_kind = rates_of(kind.is_cpu, kind.compute_units, scan.reading_rate);
        of_kind.reading *= kind.disk;
        of_kind.writing *= kind.disk;
        const auto count = std::min(kind.count, plan.slabs.size());
        for (std::size_t i = 0; i < count; i++)
            free.emplace(of_kind.start, rates.size());
        rates.push_back(of_kind);
    }
    double end = 0.0;
    for (const auto &slab : plan.slabs) {
        const auto [begin, kind] = free.top();
        free.pop();
        const double until =
            begin + rates[kind].next_start + seconds_of_slab(plan, slab, settings, scan, rates[kind]);
        free.emplace(until, kind);
        end = std::max(end, until);
    }
    const auto &own = rates.front();
    return end + own.next_start + // until the files are one volume
           (plan.is_virtual ? 0.0 : static_cast<double>(plan.shape.size()) / own.writing);
}

// All turns take about as long as the first one.
static double expected_of_turns(const Plan &plan, const Settings &settings, const Inspection &scan,
                                const auto &means) {
    Settings of_turn;
    of_turn.assign(settings);
    Inspection part = scan;
    take_first_turn(of_turn, part);
    return expected_seconds(plan, of_turn, part, means);
}

void expect_time(Plan &plan, const Settings &settings, const Inspection &scan, const Device &device,
                 const std::vector<SharingDevice> &devices) {
    plan.device = device.name();
    auto rates = rates_of(device.is_cpu(), device.compute_units(), scan.reading_rate);
    if (is_shared(settings)) {
        double all = 0.0;
        for (const auto &one : devices)
            all += one.speed;
        plan.device.clear();
        for (const auto &one : devices) {
            const auto name = text("device %zu (%s)", one.index, one.name.c_str());
            plan.device += (plan.device.empty() ? "" : " and ") + name;
            plan.shares.emplace_back(name, one.speed / all);
        }
        rates.updates *= all / devices.front().speed;
        rates.general *= all / devices.front().speed;
        if (!goes_view_by_view(settings)) // for which devices would exchange more than they compute
            rates.general_iterations *= all / devices.front().speed;
    }
    plan.driver = device.driver();
    plan.seconds = expected_of_turns(plan, settings, scan, rates);
}

void expect_time(Plan &plan, const Settings &settings, const Inspection &scan,
                 const std::vector<Workers> &workers) {
    plan.device.clear();
    for (const auto &kind : workers)
        plan.device += text("%s%zu worker%s (%s)", plan.device.empty() ? "" : " and ", kind.count,
                            kind.count == 1 ? "" : "s", kind.device.c_str());
    plan.seconds = workers.empty() ? 0.0 : expected_of_turns(plan, settings, scan, workers);
}

} // namespace tomo::reconstruction
