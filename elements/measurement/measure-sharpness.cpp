// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reduction.hpp"

#include <gst/tomo/bases/filter.hpp>

#include <cmath>

using namespace tomo;
using tomo::measurement::Reduction;

namespace {

// The first three in the order of sharpness_part in kernels/measure.cl.
enum class Metric { gradient, absolute, negativity, entropy };

class MeasureSharpness final : public Filter {
  public:
    static constexpr Info info{
        .task = "measure-sharpness",
        .klass = "Filter/Analyzer",
        .blurb = "Tells how sharp each plane is, or how consistent a slice is with its rotation axis, and "
                 "passes the array on",
        .out = formats::real,
        .details =
            R"(Over the N pixels inside the circle of `radius` around the middle of the plane, or over all W H:
- `gradient`: sum over x, y > 0 of (|v(x, y) - v(x - 1, y)| + |v(x, y) - v(x, y - 1)|) / (2 N): 0 for a plane of one value,
  larger the sharper edges are, for images of the same thing;
- `absolute`: sum of |v| / N;
- `negativity`: sum of max(-v, 0) / N;
- `entropy`: - sum of h log2 h, h the shares of 256 equal steps from the mean less 4 standard deviations to the mean plus 4,
  with all that lies beyond in the first and the last one. In bits; 0 for a plane of one value.

Images that are out of focus have a **maximum** of `gradient` where they are sharp. Slices with a wrong rotation axis are
another thing: they are not blurred, but each edge comes as two arcs, with streaks around, which adds gradients. So along a
row of axes all four have their **minimum** at the right one. The last three are those of Donath et al., J. Opt. Soc. Am. A
23, 1048 (2006), where they are divided by the sum of the projections, which is the same for all axes. With the bundled scans
and those of phantoms, `entropy` finds the axis to half a pixel or better in every slice that shows more than noise, also
with the whole plane; `negativity` comes next. `gradient` varies by less than a percent there and follows noise and the
corners, which no view covers entirely: don't use it for the axis without `radius`. Give the same `radius` for all axes: the
object and some air, within what every view sees. A radius that follows the axis compares different things.

Sums are double precision or compensated. NaN among the pixels gives NaN, and so does infinity in `entropy`.

Each value is told by an element message `tomo-sharpness` (fields `index` of the array, `plane`, `metric`, `sharpness`) and by
the property; the host waits for them.)",
        .example = "tomoread path=projections ! tomomeasuresharpness ! fakesink\n"
                   "tomoread path=sinogram.tif ! tomorampfilter ! tomobackproject axis-pos=131 ! "
                   "tomomeasuresharpness metric=entropy radius=110 ! fakesink",
    };

    Choice<Metric> metric{
        this,
        "metric",
        Metric::gradient,
        {{Metric::gradient, "gradient", "Mean of the gradients; largest for a sharp image"},
         {Metric::absolute, "absolute", "Mean of the absolute values; smallest with the right axis"},
         {Metric::negativity, "negativity", "Mean of the values below zero; smallest with the right axis"},
         {Metric::entropy, "entropy", "Entropy of the histogram; smallest with the right axis"}},
        "Measure of sharpness"};
    Property<float> radius{
        this,
        "radius",
        Automatic{0},
        {0.0f, 65536.0f},
        "Radius of the circle around the middle of the plane whose pixels count, in pixels; 0: all pixels"};
    Result sharpness{this, "sharpness", {0.0, G_MAXDOUBLE}, "That of the last plane"};

    ArrayInfo shape(const ArrayInfo &in) override { return in; }

  protected:
    Array apply(const Array &in) override {
        const Metric what = metric;
        const Reduction planes{in.depth(), in.info().plane_samples(), 1};
        const auto values = what == Metric::entropy ? entropies(in, planes) : means(in, planes, what);
        for (unsigned z = 0; z < in.depth(); z++) {
            sharpness.report(values[z]);
            post_message(gst_structure_new("tomo-sharpness", "index", G_TYPE_UINT64, frame_index(), "plane",
                                           G_TYPE_UINT, z, "metric", G_TYPE_STRING, metric.nick(),
                                           "sharpness", G_TYPE_DOUBLE, values[z], nullptr));
        }
        return in;
    }

  private:
    // Two sums for each plane; see sharpness_part.
    Array sums(const Array &in, const Reduction &planes, const Array &mean, unsigned what) {
        return planes.run(*this, "sharpness_part", 1, what, in, mean, cl_uint{in.width()}, radius.value());
    }

    Array no_mean(const Reduction &planes) {
        Array mean = allocate(planes.sums(1));
        const double zero = 0.0;
        fill(mean, &zero, sizeof zero);
        return mean;
    }

    std::vector<double> means(const Array &in, const Reduction &planes, Metric what) {
        const auto parts = sums(in, planes, no_mean(planes), unsigned(what));
        const auto total = value(parts, planes, 0), number = value(parts, planes, 1);
        std::vector<double> result;
        for (unsigned z = 0; z < in.depth(); z++) {
            check_number(number[z]);
            const double n = radius > 0.0f ? double{number[z]} : double(planes.count); // exact for all
            result.push_back(total[z] / n / (what == Metric::gradient ? 2.0 : 1.0));
        }
        return result;
    }

    std::vector<double> entropies(const Array &in, const Reduction &planes) {
        constexpr cl_uint of_values = 3, of_squares = 4, bins = 256, copies = 64;
        Array mean = allocate(planes.sums(1)), variance = allocate(planes.sums(1));
        const auto values = sums(in, planes, no_mean(planes), of_values);
        for (const float n : value(values, planes, 1))
            check_number(n);
        launch(kernel("sharpness_mean", "", file), planes.results(), values, mean);
        const auto squares = sums(in, planes, mean, of_squares);
        launch(kernel("sharpness_mean", "", file), planes.results(), squares, variance);
        const auto spread = value(squares, planes, 0);
        Array histograms = allocate({GST_TOMO_FORMAT_UINT32, bins, copies, in.depth()});
        const cl_uint zero = 0;
        fill(histograms, &zero, sizeof zero);
        const std::size_t items = device()->prefers_local_memory() ? 65536 : 4 * device()->compute_units();
        launch(kernel("sharpness_histogram", "", file),
               {std::min<std::size_t>(items, planes.count), in.depth()}, in, std::as_const(mean),
               std::as_const(variance), ReadWrite{histograms}, cl_uint{in.width()}, radius.value(),
               cl_ulong{planes.count}, bins, copies, cl_uint{device()->prefers_local_memory()});
        const Host<const cl_uint> counts(histograms);
        std::vector<double> result;
        for (unsigned z = 0; z < in.depth(); z++) {
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

    // The first (0) or the second sum of each plane.
    std::vector<float> value(const Array &parts, const Reduction &planes, cl_uint which) {
        Array values = allocate({GST_TOMO_FORMAT_FLOAT32, 1, 1, planes.results()});
        launch(kernel("measure_value", "", file), planes.results(), parts, values, cl_ulong{planes.count},
               which);
        const Host<const float> host(values);
        return {host.data(), host.data() + planes.results()};
    }

    void check_number(float number) const {
        if (!(number > 0.0f))
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("no pixel has its centre within radius=%g of the middle: set a larger "
                             "one, or 0 for the whole plane",
                             double{radius}));
    }

    static constexpr const char *file = "measure.cl";
};

} // namespace

TOMO_ELEMENT(MeasureSharpness)
