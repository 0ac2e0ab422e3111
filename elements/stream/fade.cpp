// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace {

enum class Curve { linear, cosine };

class Fade final : public Joiner {
  public:
    static constexpr Info info{
        .task = "fade",
        .klass = "Filter/Effect",
        .blurb = "Passes from the planes of one input to those of another, a little further with each plane",
        .details =
            R"(Plane k of all planes that come, from 0 on, is (1 - w) a + w b, where a comes from sink_0 and b from
sink_1. w follows t = (`first` + k + 1/2) / `number`, limited to 0 to 1: it is t, or (1 - cos(pi t)) / 2. Where
w is 0 or 1 the other plane has no influence, NaN or not. So the slices in which two scans of a tall sample
overlap become a smooth way from the upper to the lower scan. An input that has ended repeats its last array
until both have.)",
        .example =
            "tomoread path=projections number=8 ! f.sink_0  tomoread path=projections start=8 number=8 ! "
            "f.sink_1  tomofade name=f number=8 ! tomowrite filename=faded.h5:/data",
    };

    Property<double> number{
        this, "number", 2.0, {1e-3, 1e9}, "Planes of the way from the first input to the second one"};
    Property<double> first{
        this, "first", 0.0, {-1e9, 1e9}, "Place of the first plane on this way, in planes"};
    Choice<Curve> curve{this,
                        "curve",
                        Curve::cosine,
                        {{Curve::linear, "linear", "As much with each plane"},
                         {Curve::cosine, "cosine", "Half a period of a cosine, without a bend at its ends"}},
                        When::live,
                        "How the weight of the second input grows"};

    std::vector<Input> inputs() const override { return {}; }
    unsigned numbered_inputs() const override { return 2; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (in[0].width != in[1].width || in[0].height != in[1].height || in[0].depth != in[1].depth)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("sink_0 gives %s, sink_1 gives %s; wanted the same size",
                             in[0].describe().c_str(), in[1].describe().c_str()));
        return in[0].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        launch(kernel("fade"), WorkSize(out.info()), in[0], in[1], out,
               static_cast<float>((first + static_cast<double>(planes_) + 0.5) / number),
               static_cast<float>(1.0 / number), cl_int{curve == Curve::cosine});
        planes_ += out.depth();
    }

  protected:
    void clear() override { planes_ = 0; }

  private:
    std::uint64_t planes_ = 0; // that came
};

} // namespace

TOMO_ELEMENT(Fade)
