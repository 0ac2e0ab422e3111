// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

enum class Mode { median, min, max, sum, mean };

class Flatten final : public Filter {
  public:
    static constexpr Info info{
        .task = "flatten",
        .klass = "Filter/Effect",
        .blurb = "Makes one plane of all planes of each array, pixel by pixel",
        .details =
            R"(The median of an even number of values is the mean of the two in the middle. Where a pixel is NaN
in any plane, the result is NaN. Sums are kept in double precision where the device has it, else compensated.)",
        .example = "tomoread path=projections number=9 ! tomostack number=9 ! tomoflatten ! tomowrite "
                   "filename=median.tif",
    };

    Choice<Mode> mode{this,
                      "mode",
                      Mode::median,
                      {{Mode::median, "median", "Median"},
                       {Mode::min, "min", "Least value"},
                       {Mode::max, "max", "Greatest value"},
                       {Mode::sum, "sum", "Sum"},
                       {Mode::mean, "mean", "Mean"}},
                      "Result of a pixel's values over depth"};

    ArrayInfo shape(const ArrayInfo &in) override {
        const auto out = in.with_format(GST_TOMO_FORMAT_FLOAT32).with_size(in.width, in.height, 1);
        return in.domain == GST_TOMO_DOMAIN_VOLUME ? out.with_domain(GST_TOMO_DOMAIN_SLICE) : out;
    }

    void process(const Array &in, Array &out) override {
        const WorkSize pixels(out.info().samples());
        const cl_uint depth = in.depth();
        if (mode == Mode::median)
            launch(kernel("flatten_median"), pixels, in, out, depth);
        else if (mode == Mode::min || mode == Mode::max)
            launch(kernel("flatten_extreme"), pixels, in, out, depth, cl_int{mode == Mode::max});
        else
            launch(kernel("flatten_mean"), pixels, in, out, depth, cl_ulong{mode == Mode::mean ? depth : 1});
    }
};

} // namespace

TOMO_ELEMENT(Flatten)
