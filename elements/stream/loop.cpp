// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Loop final : public Reducer {
  public:
    static constexpr Info info{
        .task = "loop",
        .klass = "Filter/Effect",
        .blurb = "Gives each array several times",
        .in = formats::all,
        .out = formats::all,
        .details = R"(The arrays are not copied, and keep the facts about them; the frame rate is multiplied.
`tomobuffer` with `loop` repeats whole streams.)",
        .example = "tomoread path=slice.tif ! tomoloop number=3 ! tomowrite filename=slices.h5:/data",
    };

    Property<unsigned> number{this, "number", 1, When::reshapes,
                              "How often each array is given; 0: not at all"};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs * number;
    }

    void begin(const ArrayInfo &in) override {
        clear();
        out_ = number ? in.with_rate_times(number, 1) : in;
        negotiate(out_);
    }

    void consume(const Array &in) override {
        array_ = in.as(out_);
        left_ = number;
    }

    bool ready() const override { return left_ > 0; }

    Array produce() override { return --left_ ? array_ : std::exchange(array_, {}); }

    void clear() override {
        array_ = {};
        left_ = 0;
    }

  protected:
    EventRef scan_event(EventRef event) override {
        if (out_.domain != GST_TOMO_DOMAIN_PROJECTION)
            return event;
        Scan scan(event.get());
        scan.repeat_views(number);
        return scan.to_event();
    }

  private:
    ArrayInfo out_;
    Array array_;
    unsigned left_ = 0;
};

} // namespace

TOMO_ELEMENT(Loop)
