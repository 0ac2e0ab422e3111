// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>

using namespace tomo;

namespace {

enum class Mode { sum, min, max };

class FlattenInplace final : public Reducer {
  public:
    static constexpr Info info{
        .task = "flatten-inplace",
        .klass = "Filter/Effect",
        .blurb = "Sum, least or greatest value of all arrays of a stream, sample by sample",
        .details =
            R"(The result comes at the end of the stream. The element keeps one array on the device. Sums are
kept in double precision where the device has it, else compensated. A sample that is NaN in any array is
NaN.)",
        .example = "tomoread path=projections ! tomoflatteninplace mode=min ! tomowrite filename=darkest.tif",
    };

    Choice<Mode> mode{
        this,
        "mode",
        Mode::sum,
        {{Mode::sum, "sum", "Sum"}, {Mode::min, "min", "Least value"}, {Mode::max, "max", "Greatest value"}},
        When::ready,
        "Value that is kept"};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs ? 1 : 0;
    }

    void begin(const ArrayInfo &in) override {
        out_ = in.with_format(GST_TOMO_FORMAT_FLOAT32).with_rate(0, 1);
        clear();
    }

    void consume(const Array &in) override {
        const WorkSize samples(in.info().samples());
        if (!kept_)
            start_with_nothing();
        if (mode == Mode::sum)
            launch(kernel("average_add", {}, "average.cl"), samples, in, ReadWrite{kept_});
        else
            launch(kernel("flatten_extreme_add", {}, "flatten.cl"), samples, in, ReadWrite{kept_},
                   cl_int{mode == Mode::max});
    }

    void finish() override { ended_ = true; }
    bool ready() const override { return ended_ && kept_; }

    Array produce() override {
        auto out = kept_;
        if (mode == Mode::sum) { // a mean of one
            out = allocate(out_);
            launch(kernel("average_mean", {}, "average.cl"), WorkSize(out_.samples()), std::as_const(kept_),
                   out, cl_ulong{1});
        }
        clear();
        return out;
    }

    void clear() override {
        kept_ = {};
        ended_ = false;
    }

  protected:
    EventRef scan_event(EventRef event) override { return scan_without_views(event); }

  private:
    void start_with_nothing() {
        const double zero = 0.0; // sums have eight bytes, see common.h
        const float furthest = mode == Mode::min ? HUGE_VALF : -HUGE_VALF;
        kept_ = allocate(mode == Mode::sum ? out_.with_format(GST_TOMO_FORMAT_COMPLEX64) : out_);
        if (mode == Mode::sum)
            fill(kept_, &zero, sizeof zero);
        else
            fill(kept_, &furthest, sizeof furthest);
    }

    ArrayInfo out_;
    Array kept_;
    bool ended_ = false;
};

} // namespace

TOMO_ELEMENT(FlattenInplace)
