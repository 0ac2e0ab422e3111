// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A filter outside of gst-tomo: all that is needed for the element tomobinarize.
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class Binarize final : public Filter {
  public:
    static constexpr Info info{.task = "binarize",
                               .klass = "Filter/Effect",
                               .blurb = "Gives 1 where a value reaches the threshold, else 0"};

    Property<float> threshold{this, "threshold", 0.0f, {-FLT_MAX, FLT_MAX}, "Values from here on become 1"};

    void process(const Array &in, Array &out) override {
        launch(kernel("binarize"), WorkSize(in.info().samples()), in, out, threshold.value());
    }
};

} // namespace

TOMO_ELEMENT(Binarize)

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, tomobinarize, "Thresholds arrays",
                  tomo_register_Binarize, "1.0", "LGPL", "tomo-binarize", "https://example.org/tomo-binarize")
