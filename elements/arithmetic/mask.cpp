// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

namespace {

class Mask final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        "mask",
        "Filter/Effect",
        "Zeros outside of the largest circle around the middle of each plane",
        tomo::formats::all,
        tomo::formats::all,
        "The circle has the radius min(W, H) / 2. A pixel stays where its centre (x + 1/2, y + 1/2) is at "
        "most that far from (W / 2, H / 2). Pixels inside keep their value and format; outside, NaN also "
        "becomes 0.",
        "tomoread path=slice.tif ! tomomask ! tomowrite filename=circle.tif"};

    tomo::ArrayInfo shape(const tomo::ArrayInfo &in) override {
        input_size("in", in.sample_size());
        return in;
    }

    void process(const tomo::Array &in, tomo::Array &out) override {
        launch(kernel("mask"), tomo::WorkSize(in.info()), in, out);
    }
};

} // namespace

TOMO_ELEMENT(Mask)
