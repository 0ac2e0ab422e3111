// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/devices/shared-line.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/speed.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/device/context.hpp>

#include <algorithm>

namespace tomo::reconstruction {

// For each compute unit, measured by tools/bench on two cores and on the 132 multiprocessors of an H200: 25e9
// and 4.2e12 updates; in the general geometry 1.6e9 (0.3e9 about a tilted axis) and 0.84e12, in iterations
// there 12e6 and 55e9.
Rates rates_of(bool is_cpu, unsigned compute_units, double reading) {
    constexpr double disk = 1e9, least_reading = 1e6;
    const double units = std::max(compute_units, 1u);
    return {.updates = units * (is_cpu ? 12e9 : 30e9),
            .general = units * (is_cpu ? 0.5e9 : 6.4e9),
            .general_iterations = units * (is_cpu ? 6e6 : 0.41e9),
            .view_by_view = is_cpu ? 2.7 : 18.0,
            .samples = units * (is_cpu ? 50e6 : 150e6),
            .reading = reading > 0.0 ? std::max(reading, least_reading) : disk,
            .writing = disk,
            .start = is_cpu ? 0.3 : 0.5};
}

namespace {

// By which a slice of so many pixels comes about, with nothing to wait for.
double seconds_of_slice(const Settings &settings, const Inspection &scan, Method method, double pixels,
                        const Rates &rates) {
    const double updates = pixels * static_cast<double>(scan.views),
                 iterations = method == Method::iterative ? iterations_of(settings) : 1.0;
    if (is_general(settings, scan))
        return updates * iterations /
               (method == Method::iterative ? rates.general_iterations : rates.general);
    // As many updates would take as long as the samples of a Fourier reconstruction.
    constexpr double updates_for_sample = 250.0;
    // Backprojections that take as long as an iteration (docs/reconstruct.md).
    constexpr double updates_of_iteration = 2.0, updates_of_split = 6.8, updates_of_proximal = 2.4,
                     updates_of_descent = 3.4;
    const double samples = scan.image.width * static_cast<double>(scan.views);
    if (method == Method::dfi)
        return updates_for_sample * samples / rates.updates;
    if (method == Method::fbp)
        return updates / rates.updates;
    const bool descends = settings.method.is("asdpocs");
    const double updates_of_rays = goes_view_by_view(settings) ? rates.view_by_view : updates_of_iteration;
    const bool is_split = settings.method.is("sbtv");
    double all = updates * (is_split                      ? updates_of_split
                            : settings.method.is("fista") ? updates_of_proximal
                            : descends                    ? updates_of_rays + updates_of_descent
                                                          : updates_of_rays);
    if (settings.projector.is("fourier")) {
        constexpr double pairs_of_split = 3.0;
        all += (is_split ? pairs_of_split : 1.0) *
               (2.0 * updates_for_sample * samples - updates_of_iteration * updates);
    }
    return std::max(all, 0.0) * iterations / rates.updates;
}

} // namespace

double expected_seconds(const Plan &plan, const Settings &settings, const Inspection &scan,
                        const Rates &rates) {
    const double samples_of_row = static_cast<double>(scan.image.width) * static_cast<double>(scan.views);
    const double bytes_of_sample = static_cast<double>(gst_tomo_format_get_size(scan.image.format));
    const double image = static_cast<double>(plan.shape.plane_samples());
    const bool makes_slices = settings.result.is("slices"),
               is_held = needs_projections(settings, scan) &&
                         (!is_general(settings, scan) || !settings.rings.is("none"));
    const double sample = plan.join.empty() ? plan.shape.sample_size() : sizeof(float);
    const double slice =
        makes_slices
            ? seconds_of_slice(settings, scan, chosen_method(settings, scan, plan.axis.position).method,
                               image, rates)
            : 0.0;
    double seconds = 0.0;
    for (const auto &slab : plan.slabs) {
        const double scans =
            std::max<double>(static_cast<double>(slab.scans.size()), 1.0); // that make its slices
        const double samples = scans * slab.rows.count * samples_of_row;
        const double before = std::max(samples * bytes_of_sample / rates.reading, samples / rates.samples);
        const double behind =
            std::max(scans * slab.images * slice, slab.images * image * sample / rates.writing);
        seconds += rates.start + (is_held ? before + behind : std::max(before, behind));
    }
    if (!plan.join.empty())
        seconds += rates.start + static_cast<double>(plan.shape.size()) / rates.writing;
    return seconds;
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
    Settings of_turn; // all turns take about as long
    of_turn.assign(settings);
    Inspection part = scan;
    take_first_turn(of_turn, part);
    plan.seconds = expected_seconds(plan, of_turn, part, rates);
}

} // namespace tomo::reconstruction
