// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class Binarize final : public Filter {
  public:
    static constexpr Info info{
        .task = "binarize",
        .klass = "Filter/Effect",
        .blurb = "1 where a sample is at least the threshold, else 0",
        .details = "NaN stays NaN.",
        .example = "tomoread path=slice.tif ! tomobinarize threshold=0.004 ! tomowrite filename=solid.tif",
    };

    Property<float> threshold{this, "threshold", 1.0f, {-FLT_MAX, FLT_MAX}, "Least value that becomes 1"};

    void process(const Array &in, Array &out) override {
        launch(kernel("binarize"), WorkSize(in.info().samples()), in, out, threshold.value());
    }
};

} // namespace

TOMO_ELEMENT(Binarize)
