// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/compute/running-mean.hpp>
#include <gst/tomo/geometry/scan.hpp>

using namespace tomo;

namespace {

class Average final : public Reducer {
  public:
    static constexpr Info info{
        .task = "average",
        .klass = "Filter/Effect",
        .blurb = "Mean of all arrays of a stream, sample by sample, summed in double precision",
        .in = formats::all,
        .out = formats::float32 | formats::complex64,
        .details =
            "Sums are float64, or pairs of float32 on devices without float64. The output is float32, or "
            "complex64 if the arrays are complex. A sample that is NaN in any array has the mean NaN.",
        .example = "tomoread path=flats ! tomoaverage ! tomowrite filename=flat.tif",
    };

    Property<unsigned> number{this, "number", 1, {1, G_MAXUINT}, "How often the mean is given"};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs ? number.value() : 0;
    }

    void begin(const ArrayInfo &in) override {
        clear();
        mean_.prepare(in);
    }

    void consume(const Array &in) override { mean_.add(in); }

    void finish() override { left_ = number; }
    bool ready() const override { return left_ > 0; }

    Array produce() override {
        left_--;
        const auto mean = mean_.mean();
        return mean.as(mean.info().with_rate(0, 1));
    }

    void clear() override {
        mean_.clear();
        left_ = 0;
    }

  protected:
    EventRef scan_event(EventRef event) override {
        const auto views = Scan(event.get()).angles.size();
        if (number > 1 && views > 0)
            warn(text("number=%u gives the mean of all arrays %u times, not the means of groups: the "
                      "scan's %zu angles are left out",
                      number.value(), number.value(), views));
        return scan_without_views(event);
    }

  private:
    RunningMean mean_{*this};
    unsigned left_ = 0;
};

} // namespace

TOMO_ELEMENT(Average)
