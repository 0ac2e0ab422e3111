// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>

using namespace tomo;

namespace {

class MapSlice final : public Reducer {
  public:
    static constexpr Info info{
        .task = "map-slice",
        .klass = "Filter/Effect",
        .blurb = "Puts several arrays side by side and one below the other, into a square of fields",
        .in = formats::all,
        .out = formats::all,
        .details =
            R"(The output is the smallest square of n x n fields with room for `number` arrays. The arrays fill
it from left to right, then from top to bottom; fields without an array are 0. The arrays left at the end of
the stream make a last square of the same size. Each plane has a square of its own. Nothing is known about
the scan afterwards.)",
        .example =
            "tomoread path=volume.h5:/volume ! tomomapslice number=4 ! tomowrite filename=overview.tif",
    };

    Property<unsigned> number{this, "number", 1, {1, G_MAXUINT}, When::ready, "Arrays"};

    unsigned latency() const override { return number - 1; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs / number + (inputs % number != 0);
    }

    void begin(const ArrayInfo &in) override {
        clear();
        side_ = 1;
        while (std::uint64_t{side_} * side_ < number)
            side_++;
        out_ = resized(in, std::uint64_t{side_} * in.width, std::uint64_t{side_} * in.height, in.depth,
                       text("%u x %u fields for number=%u arrays of %s", side_, side_, number.value(),
                            in.describe().c_str()))
                   .with_rate_times(1, number)
                   .with_domain(GST_TOMO_DOMAIN_UNKNOWN);
        negotiate(out_);
    }

    void consume(const Array &in) override {
        if (!square_) {
            square_ = allocate(out_);
            const guint8 zero = 0;
            fill(square_, &zero, sizeof zero);
        }
        const std::size_t row = in.width() * in.info().sample_size(), out_row = row * side_;
        const std::size_t first = filled_ / side_ * in.height() * out_row + filled_ % side_ * row;
        for (unsigned z = 0; z < in.depth(); z++)
            copy_rows(in.plane(z), {0, row}, square_, {z * out_.height * out_row + first, out_row}, row,
                      in.height());
        filled_++;
    }

    void finish() override { ended_ = true; }
    bool ready() const override { return filled_ == number || (ended_ && filled_ > 0); }

    Array produce() override {
        const auto full = square_;
        clear();
        return full;
    }

    void clear() override {
        square_ = {};
        filled_ = 0;
        ended_ = false;
    }

  protected:
    EventRef scan_event(EventRef) override { return {}; }

  private:
    ArrayInfo out_;
    Array square_;
    unsigned side_ = 1; // fields along an edge
    unsigned filled_ = 0;
    bool ended_ = false;
};

} // namespace

TOMO_ELEMENT(MapSlice)
