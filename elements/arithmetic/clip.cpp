// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

namespace {

class Clip final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "clip",
        "Filter/Effect",
        "Limits samples to a range: values below min become min, values above max become max",
        tomo::formats::real,
        tomo::formats::float32,
        "NaN stays NaN. `min` above `max` is an error.",
        "tomoread path=projection.tif ! tomoclip min=0.01 max=1.5 ! tomowrite "
        "filename=clipped.tif"};

    tomo::Property<float> min{this, "min", "Lower bound", 0.0f, {-FLT_MAX, FLT_MAX}};
    tomo::Property<float> max{this, "max", "Upper bound", 1.0f, {-FLT_MAX, FLT_MAX}};

    void process(const tomo::Array &in, tomo::Array &out) override {
        if (min > max)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              tomo::text("min=%g is above max=%g: exchange them", min.value(), max.value()));
        launch(kernel("clip"), tomo::WorkSize(in.info().samples()), in, out, min.value(), max.value());
    }
};

} // namespace

TOMO_ELEMENT(Clip)
