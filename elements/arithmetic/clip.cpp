// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class Clip final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "clip",
        .klass = "Filter/Effect",
        .blurb = "Limits samples to a range: values below min become min, values above max become max",
        .details = "NaN stays NaN. `min` above `max` is an error.",
        .example =
            "tomoread path=projection.tif ! tomoclip min=0.01 max=1.5 ! tomowrite filename=clipped.tif",
    };

    Property<float> min{this, "min", 0.0f, {-FLT_MAX, FLT_MAX}, "Lower bound"};
    Property<float> max{this, "max", 1.0f, {-FLT_MAX, FLT_MAX}, "Upper bound"};

  protected:
    WorkSize work_size(const ArrayInfo &out) const override { return out.samples(); }
    void add_arguments(Launch &launch, const Array &) override {
        if (min > max)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("min=%g is above max=%g: exchange them", min.value(), max.value()));
        launch.add(min.value());
        launch.add(max.value());
    }
};

} // namespace

TOMO_ELEMENT(Clip)
