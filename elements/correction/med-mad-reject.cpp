// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../filter/padded.hpp"

#include <gst/tomo/bases/reducer.hpp>

#include <utility>

using namespace tomo;

namespace {

class MedMadReject final : public Reducer {
  public:
    static constexpr Info info{
        .task = "med-mad-reject",
        .klass = "Filter/Effect",
        .blurb = "Replaces pixels that are too many deviations away from the median around them in three "
                 "consecutive images",
        .details =
            "A pixel v stays where |v - m| < threshold MAD, with the median m of the 3 x 3 x 3 pixels "
            "around it and the median absolute deviation MAD, that of |w - m| over these pixels w. All "
            "others become m. Beyond the edges the outermost pixels go on, and so do the first and the "
            "last image of the stream. NaN does not count, and is replaced unless all these pixels are "
            "NaN. An image comes out when the next one has come in.",
        .example = "tomoread path=radiographs ! tomomedmadreject threshold=6 ! tomowrite filename=clean.tif",
    };

    Property<float> threshold{
        this, "threshold", 3.0f, {0.0f, FLT_MAX}, "Median absolute deviations that are accepted"};

    std::string kernel_file_name() const override { return "order-statistics.cl"; }
    unsigned latency() const override { return 1; }
    std::optional<std::uint64_t> output_count(std::uint64_t inputs, const ArrayInfo &) const override {
        return inputs;
    }

    void begin(const ArrayInfo &in) override {
        out_ = in.with_format(GST_TOMO_FORMAT_FLOAT32);
        kernel("med_mad_reject");
        clear();
    }

    void consume(const Array &in) override {
        (image_ ? after_ : image_) = padded(*this, in, {1, 1, 1, 1}, Addressing::clamp_to_edge);
    }
    void finish() override { ended_ = true; }
    bool ready() const override { return image_ && (after_ || ended_); }

    Array produce() override {
        const auto before = before_ ? before_ : image_, after = after_ ? after_ : image_;
        auto out = allocate(out_);
        launch(kernel("med_mad_reject"), WorkSize(out_), before, std::as_const(image_), after, out,
               threshold.value());
        before_ = std::exchange(image_, std::exchange(after_, {}));
        return out;
    }

    void clear() override {
        before_ = image_ = after_ = {};
        ended_ = false;
    }

  protected:
    bool gives_one_each() const override { return true; }

  private:
    ArrayInfo out_;
    Array before_, image_, after_; // with a margin
    bool ended_ = false;
};

} // namespace

TOMO_ELEMENT(MedMadReject)
