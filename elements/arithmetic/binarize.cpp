// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

namespace {

class Binarize final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{"binarize",
                                     "Filter/Effect",
                                     "1 where a sample is at least the threshold, else 0",
                                     tomo::formats::real,
                                     tomo::formats::float32,
                                     "NaN stays NaN.",
                                     "tomoread path=slice.tif ! tomobinarize threshold=0.004 "
                                     "! tomowrite filename=solid.tif"};

    tomo::Property<float> threshold{
        this, "threshold", "Least value that becomes 1", 1.0f, {-FLT_MAX, FLT_MAX}};

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("binarize"), tomo::WorkSize(in.info().samples()), in, out, threshold.value());
    }
};

} // namespace

TOMO_ELEMENT(Binarize)
