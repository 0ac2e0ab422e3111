// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

#include <algorithm>
#include <cmath>

namespace {

enum class Direction { polar_to_cartesian, cartesian_to_polar };

class PolarCoordinates final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "polar-coordinates",
        "Filter/Effect",
        "Resamples each plane from columns and rows to radii and angles, or back",
        tomo::formats::real,
        tomo::formats::float32,
        R"(Places are in edge coordinates, where pixel k spans k to k + 1 and its centre is k + 1/2. The
pole is the middle of the Cartesian image, (W / 2, H / 2). Of R columns and T rows in polar coordinates,
column r is the radius r + 1/2 in pixels and row t the angle phi = (2 (t + 1/2) / T - 1) pi, so that (x, y)
= (W / 2 + (r + 1/2) cos phi, H / 2 + (r + 1/2) sin phi), with rows downwards. Sampled linearly; angles go
round, all other edges are continued.

To polar coordinates, width and height are by default R = round(sqrt(W^2 + H^2) / 2), which reaches the
corners, and T = round(2 pi / tan(2 / max(W, H))), about one pixel along the largest circle; back, both are
round(sqrt(2) R), as of a square. Places are computed in double precision where the device has it. Nothing is
known about the scan afterwards.)",
        "tomoread path=slice.tif ! tomopolarcoordinates ! tomowrite filename=polar.tif"};

    tomo::Property<unsigned> width{this, "width",    "Columns of the output; 0: enough for the whole image",
                                   0,    {0, 32768}, tomo::When::reshapes};
    tomo::Property<unsigned> height{this, "height",   "Rows of the output; 0: enough for the whole image",
                                    0,    {0, 32768}, tomo::When::reshapes};
    tomo::Choice<Direction> direction{
        this,
        "direction",
        "Coordinates of the input and of the output",
        Direction::cartesian_to_polar,
        {{Direction::polar_to_cartesian, "polar_to_cartesian", "Radii and angles to columns and rows"},
         {Direction::cartesian_to_polar, "cartesian_to_polar", "Columns and rows to radii and angles"}},
        tomo::When::reshapes};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        const double w = in.width, h = in.height, square = std::sqrt(2.0) * w;
        const auto size = [](unsigned given, double needed) {
            return given ? given
                         : static_cast<unsigned>(std::clamp(std::round(needed), 1.0, double{G_MAXINT}));
        };
        const auto out = in.with_format(GST_TOMO_FORMAT_FLOAT32).with_domain(GST_TOMO_DOMAIN_UNKNOWN);
        resampled();
        if (direction == Direction::polar_to_cartesian)
            return out.with_size(size(width, square), size(height, square));
        return out.with_size(size(width, std::sqrt(w * w + h * h) / 2),
                             size(height, 2 * M_PI / std::tan(2 / std::max(w, h))));
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(resampled(), tomo::WorkSize(out.info()), in, out, cl_int(in.width()), cl_int(in.height()));
    }

  protected:
    tomo::EventRef scan_event(tomo::EventRef) override { return {}; }

  private:
    tomo::Kernel &resampled() {
        // Addressing modes of kernels/common.h: 2 clamp_to_edge, 3 repeat.
        return direction == Direction::cartesian_to_polar
                   ? kernel("cartesian_to_polar",
                            "-D INTERPOLATION=1 -D COLUMN_ADDRESSING=2 -D ROW_ADDRESSING=2")
                   : kernel("polar_to_cartesian",
                            "-D INTERPOLATION=1 -D COLUMN_ADDRESSING=2 -D ROW_ADDRESSING=3");
    }
};

} // namespace

TOMO_ELEMENT(PolarCoordinates)
