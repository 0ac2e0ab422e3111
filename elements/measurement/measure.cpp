// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reduction.hpp"

#include <gst/tomo/bases/filter.hpp>

using namespace tomo;
using tomo::measurement::Reduction;

namespace {

// In the order that the kernel knows.
enum class Metric { min, max, sum, mean, var, std, skew, kurtosis };

class Measure final : public Filter {
  public:
    static constexpr Info info{
        .task = "measure",
        .klass = "Filter/Analyzer",
        .blurb = "Statistics of each plane, or of its rows, columns or pixels",
        .details =
            R"(With m the mean of N samples: var = sum (v - m)^2 / N, std its root, skew = sum (v - m)^3 / N / std^3,
kurtosis = sum (v - m)^4 / N / var^2 - 3, which is 0 for a normal distribution. Sums are double precision, or
compensated where the device has none. One NaN makes the result NaN; so does a variance of 0 in skew and kurtosis.

The results are the output's samples. With `axis=-1` each is also told by an element message `tomo-measure` (fields
`metric`, `index` of the array, `plane`, `value`) and by `value`; the host waits for them.)",
        .example = "tomoread path=projections ! tomomeasure metric=mean ! fakesink",
    };

    Choice<Metric> metric{this,
                          "metric",
                          Metric::std,
                          {{Metric::min, "min", "Least value"},
                           {Metric::max, "max", "Largest value"},
                           {Metric::sum, "sum", "Sum"},
                           {Metric::mean, "mean", "Mean"},
                           {Metric::var, "var", "Variance"},
                           {Metric::std, "std", "Standard deviation"},
                           {Metric::skew, "skew", "Skewness"},
                           {Metric::kurtosis, "kurtosis", "Excess kurtosis"}},
                          "Statistic that is measured"};
    Property<int> axis{
        this,
        "axis",
        -1,
        {-1, 2},
        When::reshapes,
        "-1: one value of each plane; 0: of each row, so along x; 1: of each column, along y; 2: of "
        "each pixel, along depth"};
    Result value{this, "value", "Newest result with axis=-1"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto out = in.with_format(GST_TOMO_FORMAT_FLOAT32).with_domain(GST_TOMO_DOMAIN_UNKNOWN);
        switch (axis) {
        case 0:
            reduction_ = {std::uint64_t{in.height} * in.depth, in.width, 1};
            return out.with_size(in.height, 1);
        case 1:
            reduction_ = {in.depth, in.height, in.width};
            return out.with_size(in.width, 1);
        case 2:
            reduction_ = {1, in.depth, in.plane_samples()};
            return out.with_size(in.width, in.height, 1);
        default:
            reduction_ = {in.depth, in.plane_samples(), 1};
            return out.with_size(1, 1);
        }
    }

    void process(const Array &in, Array &out) override {
        const Metric what = metric;
        Array mean = allocate(reduction_.sums(1));
        const double zero = 0.0;
        fill(mean, &zero, sizeof zero);
        if (what >= Metric::var)
            launch(kernel("measure_mean"), reduction_.results(), moments(1, in, mean), mean,
                   cl_ulong{reduction_.count});
        const unsigned order = what <= Metric::max    ? 0
                               : what <= Metric::mean ? 1
                               : what == Metric::skew ? 3
                                                      : 4;
        launch(kernel("measure_value"), reduction_.results(), moments(order, in, mean), out,
               cl_ulong{reduction_.count}, cl_uint(what));
        if (axis == -1)
            tell(out);
    }

  private:
    Array moments(unsigned order, const Array &in, const Array &mean) {
        return reduction_.run(*this, "measure_part", order, order, in, mean);
    }

    void tell(const Array &out) {
        const Host<const float> values(out);
        for (unsigned z = 0; z < out.depth(); z++) {
            value.report(values[z]);
            post_message(gst_structure_new("tomo-measure", "metric", G_TYPE_STRING, metric.nick(), "index",
                                           G_TYPE_UINT64, frame_index(), "plane", G_TYPE_UINT, z, "value",
                                           G_TYPE_DOUBLE, double{values[z]}, nullptr));
        }
    }

    Reduction reduction_{};
};

} // namespace

TOMO_ELEMENT(Measure)
