// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

namespace {

class Loop final : public tomo::Reducer {
  public:
    static constexpr tomo::Info info{
        "loop",
        "Filter/Effect",
        "Gives each array several times",
        tomo::formats::all,
        tomo::formats::all,
        R"(The arrays are not copied, and keep the facts about them; the frame rate is multiplied.
`tomobuffer` with `loop` repeats whole streams.)",
        "tomoread path=slice.tif ! tomoloop number=3 ! tomowrite filename=slices.h5:/data"};

    tomo::Property<unsigned> number{this, "number", "How often each array is given; 0: not at all", 1,
                                    tomo::When::reshapes};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const tomo::ArrayInfo &) const override {
        return inputs * number;
    }

    void begin(const tomo::ArrayInfo &in) override {
        clear();
        out_ = number ? in.with_rate_times(number, 1) : in;
        negotiate(out_);
    }

    void consume(const tomo::Array &in) override {
        array_ = in.as(out_);
        left_ = number;
    }

    bool ready() const override { return left_ > 0; }

    tomo::Array produce() override { return --left_ ? array_ : std::exchange(array_, {}); }

    void clear() override {
        array_ = {};
        left_ = 0;
    }

  protected:
    tomo::EventRef scan_event(tomo::EventRef event) override {
        if (out_.domain != GST_TOMO_DOMAIN_PROJECTION)
            return event;
        tomo::Scan scan(event.get());
        scan.repeat_views(number);
        return scan.to_event();
    }

  private:
    tomo::ArrayInfo out_;
    tomo::Array array_;
    unsigned left_ = 0;
};

} // namespace

TOMO_ELEMENT(Loop)
