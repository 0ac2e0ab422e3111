// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class PowerSpectrum final : public PointFilter {
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

  protected:
    WorkSize work_size(const ArrayInfo &out) const override { return out.samples(); }
};

} // namespace

TOMO_ELEMENT(PowerSpectrum)
