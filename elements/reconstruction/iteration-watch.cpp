// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "iteration-watch.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace tomo {

namespace {

constexpr gint64 often = 100000; // microseconds

// Whether an iterate is no nearer to a solution than before.
bool has_grown(SolverMethod method, double first, double last) {
    constexpr double rounding = 1.001, noise = 2.0;
    if (std::isnan(last))
        return true;
    // From slices that explain the data well, a total variation or noise that subsets see differently lead
    // away from these. Slices of zeros have a residual of 1.
    const bool has_variation = method == SolverMethod::fista || method == SolverMethod::split_bregman ||
                               method == SolverMethod::asd_pocs;
    const double most = first >= 1.0 ? first : has_variation ? 1.0 : std::min(noise * first, 1.0);
    return last > rounding * most;
}

} // namespace

void IterationWatch::check_growth(const std::string &what, SolverMethod method, double first, double last,
                                  std::size_t iterations) {
    if (!has_grown(method, first, last) || std::exchange(has_warned_, true))
        return;
    element_.warn(
        text("the residual of %s grew from %.4g to %.4g in %zu iterations: that is no solution. Take less "
             "relaxation or fewer subsets, and look for samples that are not finite",
             what.c_str(), first, last, iterations));
}

std::function<void(const Solver::Iterate &)> IterationWatch::over(const Slices &slices, SolverMethod method,
                                                                  unsigned iterations) {
    return [this, slices, method, iterations, begin = g_get_monotonic_time()](const Solver::Iterate &now) {
        if (preview.given() != shown_) {
            shown_ = preview.given();
            show(slices, iterations, now);
        }
        const auto time = g_get_monotonic_time();
        if (time - std::max(told_, begin) < often || now.done == iterations)
            return;
        told_ = time;
        tell(slices, method, iterations, now, 1e-6 * static_cast<double>(time - begin));
    };
}

void IterationWatch::tell(const Slices &slices, SolverMethod method, unsigned iterations,
                          const Solver::Iterate &now, double seconds) {
    const auto first = now.residuals(0, 1), last = now.residuals(now.done - 1, now.done);
    std::size_t worst = 0;
    for (std::size_t i = 0; i < last.size(); i++)
        if (!(last[i].back() <= last[worst].back()))
            worst = i;
    element_.post_message(gst_structure_new(
        "tomo-iterating", "slice", G_TYPE_UINT64, guint64{slices.first}, "slices", G_TYPE_UINT,
        slices.given(), "iteration", G_TYPE_UINT, now.done, "iterations", G_TYPE_UINT, iterations, "residual",
        G_TYPE_DOUBLE, last[worst].back(), "seconds", G_TYPE_DOUBLE, seconds, nullptr));
    const auto number = slices.number + worst * (slices.shape.depth / last.size()) / slices.depth;
    check_growth(text("%s %" G_GUINT64_FORMAT, slices.kind, number), method, first[worst].back(),
                 last[worst].back(), now.done);
}

void IterationWatch::show(const Slices &slices, unsigned iterations, const Solver::Iterate &now) {
    const unsigned middle = slices.given() / 2;
    const auto shape = slices.shape.with_size(slices.shape.width, slices.shape.height, 1);
    Array slice = element_.allocate(shape);
    element_.copy_rows(now.slices, {(slices.before + middle) * shape.size()}, slice, {}, shape.size());
    BufferRef copy(gst_buffer_new_allocate(nullptr, shape.size(), nullptr));
    {
        const Host<const float> samples(slice);
        const MappedBuffer to(copy.get(), GST_MAP_WRITE);
        std::memcpy(to.data(), samples.data(), shape.size());
    }
    const CapsRef caps(shape.to_caps(false));
    const SampleRef sample(gst_sample_new(copy.get(), caps.get(), nullptr, nullptr));
    element_.post_message(gst_structure_new(
        "tomo-iterate", "slice", G_TYPE_UINT64, guint64{slices.first + middle}, "iteration", G_TYPE_UINT,
        now.done, "iterations", G_TYPE_UINT, iterations, "sample", GST_TYPE_SAMPLE, sample.get(), nullptr));
}

} // namespace tomo
