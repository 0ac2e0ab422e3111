// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>

using namespace tomo;

namespace {

// The slices are views of the volume's memory.
class Slice final : public Reducer {
  public:
    static constexpr Info info{
        .task = "slice",
        .klass = "Filter/Effect",
        .blurb = "Gives the planes of each array one by one, without copying",
        .in = formats::all,
        .out = formats::all,
        .details = "An array of depth N gives N arrays of depth 1, which share its memory.",
        .example = "tomoread path=slice.tif ! tomostack number=1 ! tomoslice ! tomowrite filename=plane.tif",
    };

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &in) const override {
        return inputs * in.depth;
    }

    void begin(const ArrayInfo &in) override {
        out_ = in.with_size(in.width, in.height, 1).with_rate_times(in.depth, 1);
        if (in.domain == GST_TOMO_DOMAIN_VOLUME)
            out_ = out_.with_domain(GST_TOMO_DOMAIN_SLICE);
        clear();
        negotiate(out_);
    }

    // Given back with the last plane, before the next array comes.
    void consume(const Array &in) override { volume_ = in; }
    bool ready() const override { return static_cast<bool>(volume_); }

    Array produce() override {
        const auto plane = volume_.plane(next_++).as(out_);
        if (next_ == volume_.depth())
            clear();
        return plane;
    }

    void clear() override {
        volume_ = {};
        next_ = 0;
    }

  private:
    ArrayInfo out_;
    Array volume_;
    unsigned next_ = 0;
};

} // namespace

TOMO_ELEMENT(Slice)
