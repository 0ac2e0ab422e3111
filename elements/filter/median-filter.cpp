// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "box-filter.hpp"

namespace {

class MedianFilter final : public tomo::BoxFilter {
  public:
    static constexpr tomo::Info info{
        "median-filter",
        "Filter/Effect",
        "Median of the square around each pixel",
        tomo::formats::real,
        tomo::formats::float32,
        "The square begins (size - 1) / 2 pixels, rounded down, left of and above the pixel. With an even "
        "size the "
        "mean of the two values in the middle is given. Beyond its edges the image is mirrored, its "
        "outermost pixel "
        "first (`reflect` in SciPy). A square with a NaN gives NaN. Squares of more than 8 x 8 pixels take a "
        "time "
        "that grows with their width, not with their area.",
        "tomoread path=radiographs ! tomomedianfilter size=5 ! tomowrite filename=medians.tif"};

    tomo::Property<unsigned> size{this, "size",  "Width of the square in pixels",
                                  3,    {3, 33}, tomo::When::reshapes};

    void process(const tomo::Array &in, tomo::Array &out) override {
        order(in, out, tomo::Addressing::mirrored_repeat);
    }

  protected:
    unsigned box_width() const override { return size; }
    const char *kernel_name() const override { return "median"; }
};

} // namespace

TOMO_ELEMENT(MedianFilter)
