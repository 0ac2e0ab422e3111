// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>

namespace {

// The slices are views of the volume's memory.
class Slice final : public tomo::Reducer {
  public:
    static constexpr tomo::Info info{
        "slice",
        "Filter/Effect",
        "Gives the planes of each array one by one, without copying",
        tomo::formats::all,
        tomo::formats::all,
        "An array of depth N gives N arrays of depth 1, which share its memory.",
        "tomoread path=slice.tif ! tomostack number=1 ! tomoslice ! tomowrite filename=plane.tif"};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs,
                                              const tomo::ArrayInfo &in) const override {
        return inputs * in.depth;
    }

    void begin(const tomo::ArrayInfo &in) override {
        out_ = in.with_size(in.width, in.height, 1).with_rate_times(in.depth, 1);
        if (in.domain == GST_TOMO_DOMAIN_VOLUME)
            out_ = out_.with_domain(GST_TOMO_DOMAIN_SLICE);
        clear();
        negotiate(out_);
    }

    // Given back with the last plane, before the next array comes.
    void consume(const tomo::Array &in) override { volume_ = in; }
    bool ready() const override { return static_cast<bool>(volume_); }

    tomo::Array produce() override {
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
    tomo::ArrayInfo out_;
    tomo::Array volume_;
    unsigned next_ = 0;
};

} // namespace

TOMO_ELEMENT(Slice)
