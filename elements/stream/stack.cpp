// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>

#include <algorithm>

using namespace tomo;

namespace {

class Stack final : public Reducer {
  public:
    static constexpr Info info{
        .task = "stack",
        .klass = "Filter/Effect",
        .blurb =
            "Stacks arrays along depth; the arrays left at the end of the stream become a stack of less depth",
        .in = formats::all,
        .out = formats::all,
        .details = "Samples keep their type. An array of depth M counts as M planes.",
        .example =
            "tomoread path=volume.h5:/volume ! tomostack number=2 ! tomoslice ! tomowrite filename=planes.tif",
    };

    Property<unsigned> number{this, "number", 1, {1, G_MAXINT}, When::ready, "Arrays per stack"};

    unsigned latency() const override { return number - 1; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return (inputs + number - 1) / number;
    }

    void begin(const ArrayInfo &in) override {
        clear();
        out_ = resized(in, in.width, in.height, std::uint64_t{in.depth} * number,
                       text("number=%u arrays of %s", number.value(), in.describe().c_str()))
                   .with_rate_times(1, number);
        if (in.domain == GST_TOMO_DOMAIN_SLICE)
            out_ = out_.with_domain(GST_TOMO_DOMAIN_VOLUME);
    }

    void consume(const Array &in) override {
        if (!stack_)
            stack_ = allocate(out_);
        const auto size = in.info().size();
        copy_rows(in, {}, stack_, {filled_++ * size}, size);
    }

    void finish() override { ended_ = true; }
    unsigned unfinished_set() const override { return filled_; }
    bool ready() const override { return filled_ == number || (ended_ && filled_ > 0); }

    Array produce() override {
        const auto depth = out_.depth / number * filled_;
        const auto full = std::exchange(stack_, {});
        clear();
        return full.as(out_.with_size(out_.width, out_.height, depth));
    }

    void clear() override {
        stack_ = {};
        filled_ = 0;
        ended_ = false;
    }

  private:
    ArrayInfo out_;
    Array stack_;
    unsigned filled_ = 0;
    bool ended_ = false;
};

} // namespace

TOMO_ELEMENT(Stack)
