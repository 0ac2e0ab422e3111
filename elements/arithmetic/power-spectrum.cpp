// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

namespace {

class PowerSpectrum final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "power-spectrum",
        "Filter/Effect",
        "Squared magnitude of complex samples, re^2 + im^2",
        tomo::formats::complex64,
        tomo::formats::float32,
        "The frequencies keep their places; `tomoswapquadrants` moves the zero to the middle.",
        "tomoread path=projection.tif ! tomofft dimensions=2 ! tomopowerspectrum ! "
        "tomoswapquadrants ! "
        "tomocalculate expression=\"log(1 + v)\" ! tomowrite filename=spectrum.tif"};

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("power_spectrum"), tomo::WorkSize(in.info().samples()), in, out);
    }
};

} // namespace

TOMO_ELEMENT(PowerSpectrum)
