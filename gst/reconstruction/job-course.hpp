// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/job.hpp>
#include <gst/tomo/support/number-list.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tomo::reconstruction {

// How many images are there of all, told now and then.
struct Job::Course {
    using Clock = std::chrono::steady_clock;
    static constexpr auto progress_interval = std::chrono::milliseconds(100);
    static double seconds_since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }

    Job &job;
    const char *name;
    double total, expected = 0.0; // seconds; 0: not known
    bool is_join = false;         // of images that are made
    double before = 0.0, told = -1.0;
    std::uint64_t told_shared = 0;
    Clock::time_point begun = Clock::now();
    Clock::time_point last = Clock::now() - progress_interval;
    // Of the first images, before which programs are built, or of the first ones behind a pause.
    double first = 0.0;
    Clock::time_point since = Clock::now();
    unsigned states = 0;
    double paused_before = job.paused_seconds();

    // Iterations of images of this slab that are under way, or done.
    void look_at(GstMessage *message, const Slab &slab) {
        const auto *now =
            GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT ? gst_message_get_structure(message) : nullptr;
        if (now && gst_structure_has_name(now, "tomo-iterating"))
            tell_iteration(now);
        else if (now && gst_structure_has_name(now, "tomo-iterations"))
            tell_residuals(now, slab);
    }

    void tell(double images) {
        const auto now = Clock::now();
        const double done = std::min(before + images, total);
        if (!is_join)
            job.record_.images = done;
        const auto shared = is_join ? 0 : job.shares_.sum(); // told behind the last image
        if ((done == told && shared == told_shared) || (done < total && now - last < progress_interval))
            return;
        told_shared = shared;
        last = now;
        told = done;
        const bool is_first = first == 0.0 && done > 0.0;
        if (is_first && !is_join && job.settings_.resume)
            job.record_.images_before = done;
        if (is_first || states != job.states_) {
            first = done;
            since = now;
            states = job.states_;
        }
        Json progress = job.event("progress");
        progress.set("stage", Json::text(name));
        progress.set("done", Json::integer(static_cast<guint64>(done)));
        progress.set("total", Json::integer(static_cast<guint64>(total)));
        progress.set("unit", Json::text(job.settings_.result.value()));
        if (!is_join && !job.shares_.is_empty())
            progress.set("devices", job.shares_.json());
        if (done > first) {
            const double rate = (done - first) / seconds_since(since);
            progress.set("rate", Json::number(rate));
            progress.set("seconds-left", Json::number((total - done) / rate));
        } else if (done == 0.0 && expected > 0.0) {
            progress.set("seconds-left", Json::number(expected));
        } else if (before > 0.0) { // the time of the first slab says more than any estimate
            progress.set("seconds-left",
                         Json::number((seconds_since(begun) - (job.paused_seconds() - paused_before)) *
                                      (total - done) / done));
        }
        job.tell_(progress);
    }

  private:
    void tell_iteration(const GstStructure *now) {
        unsigned slices = 0, iteration = 0, iterations = 0;
        double residual = 0.0, seconds = 0.0;
        if (!gst_structure_get(now, "slices", G_TYPE_UINT, &slices, "iteration", G_TYPE_UINT, &iteration,
                               "iterations", G_TYPE_UINT, &iterations, "residual", G_TYPE_DOUBLE, &residual,
                               "seconds", G_TYPE_DOUBLE, &seconds, nullptr) ||
            iteration == 0 || slices == 0)
            return;
        const double done = std::max(told, 0.0);
        Json progress = job.event("progress");
        progress.set("stage", Json::text(name));
        progress.set("done", Json::integer(static_cast<guint64>(done)));
        progress.set("total", Json::integer(static_cast<guint64>(total)));
        progress.set("unit", Json::text(job.settings_.result.value()));
        progress.set("iteration", Json::integer(guint64{iteration}));
        progress.set("iterations", Json::integer(guint64{iterations}));
        if (std::isfinite(residual))
            progress.set("residual", Json::number(residual));
        // Those that are left, of these slices and of as many others as are not there yet.
        const double others = std::max(total - done - slices, 0.0) / slices;
        progress.set("seconds-left",
                     Json::number(seconds / iteration * (iterations - iteration + others * iterations)));
        job.tell_(progress);
    }

    void tell_residuals(const GstStructure *now, const Slab &slab) {
        const auto residuals = list_of(now, "residuals"), seconds = list_of(now, "seconds");
        if (residuals.empty())
            return;
        job.record_.iterations.add(slab.value, residuals, seconds);
        if (!std::isfinite(residuals.back()))
            return;
        constexpr std::size_t most_told = 1000;
        Json result = job.event("result");
        result.set("name", Json::text("residual"));
        result.set("value", Json::number(residuals.back()));
        result.set("unit", Json::text(""));
        const auto first = job.settings_.sweep.empty()
                               ? static_cast<guint64>(before)
                               : static_cast<guint64>(&slab - job.plan_->slabs.data());
        if (guint64 slice = 0; gst_structure_get_uint64(now, "slice", &slice))
            result.set("image", Json::integer(first + slice));
        result.set("iterations", Json::integer(guint64{residuals.size()}));
        if (!seconds.empty())
            result.set("seconds", Json::number(seconds.back()));
        const bool are_finite =
            std::all_of(residuals.begin(), residuals.end(), [](double r) { return std::isfinite(r); });
        if (residuals.size() <= most_told && are_finite) {
            Json all = Json::list();
            for (const double residual : residuals)
                all.add(Json::number(residual));
            result.set("residuals", std::move(all));
        }
        job.tell_(result);
    }
};

} // namespace tomo::reconstruction
