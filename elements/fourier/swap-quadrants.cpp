// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>

using namespace tomo;

namespace {

class SwapQuadrants final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "swap-quadrants",
        .klass = "Filter/Effect",
        .blurb = "Moves the zero frequency of each plane from the corner to the middle",
        .in = formats::all,
        .out = formats::all,
        .details =
            "out[(y + H div 2) mod H, (x + W div 2) mod W] = in[y, x], as numpy.fft.fftshift. For even "
            "sizes doing it twice gives the input again.",
        .example = "tomoread path=slice.tif ! tomofft dimensions=2 ! tomoswapquadrants ! tomopowerspectrum ! "
                   "tomocalculate expression=\"log(1e-9f + v)\" ! tomowrite filename=spectrum.tif",
    };

    ArrayInfo shape(const ArrayInfo &in) override { return in; }

  protected:
    bool only_moves() const override { return true; }

    // Of a detector's columns and of angles in that order there is nothing to tell.
    EventRef scan_event(EventRef event) override {
        Scan scan(event.get());
        scan.axis_position = std::nan("");
        scan.forget_views();
        scan.forget_region_x();
        scan.forget_region_y();
        return scan.to_event();
    }
};

} // namespace

TOMO_ELEMENT(SwapQuadrants)
