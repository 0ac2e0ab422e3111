// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/bases/running-mean.hpp>
#include <gst/tomo/geometry/scan.hpp>

namespace {

class Average final : public tomo::Reducer {
  public:
    static constexpr tomo::Info info{
        "average",
        "Filter/Effect",
        "Mean of all arrays of a stream, sample by sample, summed in double precision",
        tomo::formats::all,
        tomo::formats::float32 | tomo::formats::complex64,
        "Sums are float64, or pairs of float32 on devices without float64. The output is float32, or "
        "complex64 if the arrays are complex. A sample that is NaN in any array has the mean NaN.",
        "tomoread path=flats ! tomoaverage ! tomowrite filename=flat.tif"};

    tomo::Property<unsigned> number{this, "number", "How often the mean is given", 1, {1, G_MAXUINT}};

    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const tomo::ArrayInfo &) const override {
        return inputs ? number.value() : 0;
    }

    void begin(const tomo::ArrayInfo &in) override {
        clear();
        mean_.prepare(in);
    }

    void consume(const tomo::Array &in) override { mean_.add(in); }

    void finish() override { left_ = number; }
    bool ready() const override { return left_ > 0; }

    tomo::Array produce() override {
        left_--;
        const auto mean = mean_.mean();
        return mean.as(mean.info().with_rate(0, 1));
    }

    void clear() override {
        mean_.clear();
        left_ = 0;
    }

  protected:
    tomo::EventRef scan_event(tomo::EventRef event) override {
        const auto views = tomo::Scan(event.get()).angles.size();
        if (number > 1 && views > 0)
            warn(tomo::text("number=%u gives the mean of all arrays %u times, not the means of groups: the "
                            "scan's %zu angles are left out",
                            number.value(), number.value(), views));
        return tomo::scan_without_views(event);
    }

  private:
    tomo::RunningMean mean_{*this};
    unsigned left_ = 0;
};

} // namespace

TOMO_ELEMENT(Average)
