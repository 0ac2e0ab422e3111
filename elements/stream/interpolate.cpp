// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "interpolated.hpp"

#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace {

class Interpolate final : public JoiningReducer {
  public:
    static constexpr Info info{
        .task = "interpolate",
        .klass = "Filter/Effect",
        .blurb = "Gives arrays between one of the first input and one of the second",
        .details =
            R"(For each pair a, b the arrays a + (b - a) i / (n - 1) with i = 0 ... n - 1 and n = `number`, so
from a to b; only a for n = 1. An input that has ended repeats its last array until both have.)",
        .example =
            "tomoread path=projections number=1 ! i.sink_0  tomoread path=projections start=1 number=1 ! "
            "i.sink_1  tomointerpolate name=i number=5 ! tomowrite filename=between.h5:/data",
    };

    Property<unsigned> number{this, "number", 1, {1, G_MAXUINT}, When::reshapes, "Arrays for each pair"};

    std::vector<Input> inputs() const override { return {}; }
    unsigned numbered_inputs() const override { return 2; }
    std::uint64_t output_count(std::uint64_t inputs) const override { return inputs * number; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (in[0].width != in[1].width || in[0].height != in[1].height || in[0].depth != in[1].depth)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("sink_0 gives %s, sink_1 gives %s; wanted the same size",
                             in[0].describe().c_str(), in[1].describe().c_str()));
        return in[0].with_format(GST_TOMO_FORMAT_FLOAT32).with_rate_times(number, 1);
    }

    void consume(const std::vector<Array> &in) override {
        pair_ = in;
        next_ = 0;
    }

    bool ready() const override { return !pair_.empty(); }

    Array produce() override {
        Array out = allocate(output_info());
        interpolate(*this, pair_[0], pair_[1], number > 1 ? next_ / (number - 1.0) : 0.0, out);
        if (++next_ >= number)
            clear();
        return out;
    }

    void clear() override { pair_.clear(); }

  private:
    std::vector<Array> pair_;
    unsigned next_ = 0;
};

} // namespace

TOMO_ELEMENT(Interpolate)
