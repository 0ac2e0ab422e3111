// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class PowerSpectrum final : public Filter {
  public:
    static constexpr Info info{
        .task = "power-spectrum",
        .klass = "Filter/Effect",
        .blurb = "Squared magnitude of complex samples, re^2 + im^2",
        .in = formats::complex64,
        .details = "The frequencies keep their places; `tomoswapquadrants` moves the zero to the middle.",
        .example =
            "tomoread path=projection.tif ! tomofft dimensions=2 ! tomopowerspectrum ! tomoswapquadrants "
            "! tomocalculate expression=\"log(1 + v)\" ! tomowrite filename=spectrum.tif",
    };

    void process(const Array &in, Array &out) override {
        launch(kernel("power_spectrum"), WorkSize(in.info().samples()), in, out);
    }
};

} // namespace

TOMO_ELEMENT(PowerSpectrum)
