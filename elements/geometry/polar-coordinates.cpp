// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

#include <algorithm>
#include <cmath>

using namespace tomo;

namespace {

enum class Direction { polar_to_cartesian, cartesian_to_polar };

class PolarCoordinates final : public Filter {
  public:
    static constexpr Info info{
        .task = "polar-coordinates",
        .klass = "Filter/Effect",
        .blurb = "Resamples each plane from columns and rows to radii and angles, or back",
        .details =
            R"(Places are in edge coordinates, where pixel k spans k to k + 1 and its centre is k + 1/2. The
pole is the middle of the Cartesian image, (W / 2, H / 2). Of R columns and T rows in polar coordinates,
column r is the radius r + 1/2 in pixels and row t the angle phi = (2 (t + 1/2) / T - 1) pi, so that (x, y)
= (W / 2 + (r + 1/2) cos phi, H / 2 + (r + 1/2) sin phi), with rows downwards. Sampled linearly; angles go
round, all other edges are continued.

To polar coordinates, width and height are by default R = round(sqrt(W^2 + H^2) / 2), which reaches the
corners, and T = round(2 pi / tan(2 / max(W, H))), about one pixel along the largest circle; back, both are
round(sqrt(2) R), as of a square. Places are computed in double precision where the device has it. Nothing is
known about the scan afterwards.)",
        .example = "tomoread path=slice.tif ! tomopolarcoordinates ! tomowrite filename=polar.tif",
    };

    Property<unsigned> width{this,           "width",
                             Automatic{0},   {0, 32768},
                             When::reshapes, "Columns of the output; 0: enough for the whole image"};
    Property<unsigned> height{this,           "height",
                              Automatic{0},   {0, 32768},
                              When::reshapes, "Rows of the output; 0: enough for the whole image"};
    Choice<Direction> direction{
        this,
        "direction",
        Direction::cartesian_to_polar,
        {{Direction::polar_to_cartesian, "polar_to_cartesian", "Radii and angles to columns and rows"},
         {Direction::cartesian_to_polar, "cartesian_to_polar", "Columns and rows to radii and angles"}},
        When::reshapes,
        "Coordinates of the input and of the output"};

    ArrayInfo shape(const ArrayInfo &in) override {
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

    void process(const Array &in, Array &out) override {
        launch(resampled(), WorkSize(out.info()), in, out, cl_int(in.width()), cl_int(in.height()));
    }

  protected:
    EventRef scan_event(EventRef) override { return {}; }

  private:
    Kernel resampled() {
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
