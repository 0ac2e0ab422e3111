// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class Binarize final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "binarize",
        .klass = "Filter/Effect",
        .blurb = "1 where a sample is at least the threshold, else 0",
        .details = "NaN stays NaN.",
        .example = "tomoread path=slice.tif ! tomobinarize threshold=0.004 ! tomowrite filename=solid.tif",
    };

    Property<float> threshold{this, "threshold", 1.0f, {-FLT_MAX, FLT_MAX}, "Least value that becomes 1"};

  protected:
    WorkSize work_size(const ArrayInfo &out) const override { return out.samples(); }
    void add_arguments(Launch &launch, const Array &) override { launch.add(threshold.value()); }
};

} // namespace

TOMO_ELEMENT(Binarize)
