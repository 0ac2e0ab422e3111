// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

using namespace tomo;

namespace {

class Mask final : public PointFilter {
  public:
    static constexpr Info info{
        .task = "mask",
        .klass = "Filter/Effect",
        .blurb = "Zeros outside of the largest circle around the middle of each plane",
        .in = formats::all,
        .out = formats::all,
        .details =
            "The circle has the radius min(W, H) / 2. A pixel stays where its centre (x + 1/2, y + 1/2) "
            "is at most that far from (W / 2, H / 2). Pixels inside keep their value and format; outside, "
            "NaN also becomes 0.",
        .example = "tomoread path=slice.tif ! tomomask ! tomowrite filename=circle.tif",
    };

    ArrayInfo shape(const ArrayInfo &in) override { return in; }

  protected:
    bool only_moves() const override { return true; }
};

} // namespace

TOMO_ELEMENT(Mask)
