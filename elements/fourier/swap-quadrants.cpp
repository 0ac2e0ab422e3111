// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>

namespace {

class SwapQuadrants final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "swap-quadrants",
        "Filter/Effect",
        "Moves the zero frequency of each plane from the corner to the middle",
        tomo::formats::all,
        tomo::formats::all,
        "out[(y + H div 2) mod H, (x + W div 2) mod W] = in[y, x], as numpy.fft.fftshift. For even sizes "
        "doing it "
        "twice gives the input again.",
        "tomoread path=slice.tif ! tomofft dimensions=2 ! tomoswapquadrants ! "
        "tomopowerspectrum ! "
        "tomocalculate expression=\"log(1e-9f + v)\" ! tomowrite filename=spectrum.tif"};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        input_size("in", in.sample_size());
        return in;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("swap_quadrants"), tomo::WorkSize(in.info()), in, out);
    }

  protected:
    // Of a detector's columns and of angles in that order there is nothing to tell.
    tomo::EventRef scan_event(tomo::EventRef event) override {
        tomo::Scan scan(event.get());
        scan.axis_position = std::nan("");
        scan.forget_views();
        scan.forget_region_x();
        scan.forget_region_y();
        return scan.to_event();
    }
};

} // namespace

TOMO_ELEMENT(SwapQuadrants)
