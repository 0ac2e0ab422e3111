// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sharpness.hpp"

#include "reduction.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::measurement {

namespace {

constexpr const char *file = "measure.cl";

class Measurement {
  public:
    Measurement(Compute &compute, const Array &in, float radius)
        : compute_(compute), in_(in), radius_(radius), planes_{in.depth(), in.info().plane_samples(), 1} {}

    std::vector<double> means(Sharpness what) {
        const auto parts = sums(no_mean(), unsigned(what));
        const auto number = numbers(parts);
        const auto total = value(parts, 0);
        std::vector<double> result;
        for (unsigned z = 0; z < in_.depth(); z++)
            result.push_back(total[z] / number[z] / (what == Sharpness::gradient ? 2.0 : 1.0));
        return result;
    }

    std::vector<double> entropies() {
        constexpr cl_uint of_values = 3, of_squares = 4, bins = 256, copies = 64;
        Array mean = compute_.allocate(planes_.sums(1)), variance = compute_.allocate(planes_.sums(1));
        const auto values = sums(no_mean(), of_values);
        numbers(values); // an error where none counts
        const auto to_mean = compute_.kernel("sharpness_mean", "", file);
        compute_.launch(to_mean, planes_.results(), values, mean);
        const auto squares = sums(mean, of_squares);
        compute_.launch(to_mean, planes_.results(), squares, variance);
        const auto spread = value(squares, 0);
        Array histograms = compute_.allocate({GST_TOMO_FORMAT_UINT32, bins, copies, in_.depth()});
        const cl_uint zero = 0;
        compute_.fill(histograms, &zero, sizeof zero);
        const auto &device = *compute_.device();
        const std::size_t items = device.prefers_local_memory() ? 65536 : 4 * device.compute_units();
        compute_.launch(compute_.kernel("sharpness_histogram", "", file),
                        {std::min<std::size_t>(items, planes_.count), in_.depth()}, in_, std::as_const(mean),
                        std::as_const(variance), ReadWrite{histograms}, cl_uint{in_.width()}, radius_,
                        cl_ulong{planes_.count}, bins, copies, cl_uint{device.prefers_local_memory()});
        const Host<const cl_uint> counts(histograms);
        std::vector<double> result;
        for (unsigned z = 0; z < in_.depth(); z++) {
            std::vector<double> histogram(bins, 0.0);
            double all = 0.0, entropy = 0.0;
            for (std::size_t i = 0; i < std::size_t{copies} * bins; i++) {
                histogram[i % bins] += counts[z * copies * bins + i];
                all += counts[z * copies * bins + i];
            }
            for (const double n : histogram)
                entropy -= n > 0.0 ? n / all * std::log2(n / all) : 0.0;
            result.push_back(!std::isfinite(spread[z]) ? std::nan("") : spread[z] > 0.0f ? entropy : 0.0);
        }
        return result;
    }

  private:
    // Two sums for each plane; see sharpness_part.
    Array sums(const Array &mean, unsigned what) {
        return planes_.run(compute_, "sharpness_part", 1, what, in_, mean, cl_uint{in_.width()}, radius_);
    }

    Array no_mean() {
        Array mean = compute_.allocate(planes_.sums(1));
        const double zero = 0.0;
        compute_.fill(mean, &zero, sizeof zero);
        return mean;
    }

    // The first (0) or the second sum of each plane.
    std::vector<float> value(const Array &parts, cl_uint which) {
        Array values = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, 1, 1, planes_.results()});
        compute_.launch(compute_.kernel("measure_value", "", file), planes_.results(), parts, values,
                        cl_ulong{planes_.count}, which);
        const Host<const float> host(values);
        return {host.data(), host.data() + planes_.results()};
    }

    // How many pixels of each plane count: those inside the circle, of which there must be one, or all.
    std::vector<double> numbers(const Array &parts) {
        std::vector<double> result(planes_.results(), double(planes_.count));
        if (radius_ > 0.0f) {
            const auto inside = value(parts, 1);
            result.assign(inside.begin(), inside.end());
        }
        for (const double number : result)
            if (!(number > 0.0))
                throw Error(GST_LIBRARY_ERROR_SETTINGS,
                            text("no pixel has its centre within radius=%g of the middle: set a larger "
                                 "one, or 0 for the whole plane",
                                 double{radius_}));
        return result;
    }

    Compute &compute_;
    const Array &in_;
    const float radius_;
    const Reduction planes_;
};

} // namespace

std::vector<double> sharpness(Compute &compute, const Array &in, Sharpness what, float radius) {
    Measurement measurement(compute, in, radius);
    return what == Sharpness::entropy ? measurement.entropies() : measurement.means(what);
}

} // namespace tomo::measurement
