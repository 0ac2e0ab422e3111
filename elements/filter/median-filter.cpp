// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "box-filter.hpp"

using namespace tomo;

namespace {

class MedianFilter final : public BoxFilter {
  public:
    static constexpr Info info{
        .task = "median-filter",
        .klass = "Filter/Effect",
        .blurb = "Median of the square around each pixel",
        .details =
            "The square begins (size - 1) / 2 pixels, rounded down, left of and above the pixel. With an "
            "even size the mean of the two values in the middle is given. Beyond its edges the image is "
            "mirrored, its outermost pixel first (`reflect` in SciPy). A square with a NaN gives NaN. "
            "Squares of more than 8 x 8 pixels take a time that grows with their width, not with their "
            "area.",
        .example = "tomoread path=radiographs ! tomomedianfilter size=5 ! tomowrite filename=medians.tif",
    };

    Property<unsigned> size{this, "size", 3, {3, 33}, When::reshapes, "Width of the square in pixels"};

    void process(const Array &in, Array &out) override { order(in, out, Addressing::mirrored_repeat); }

  protected:
    unsigned box_width() const override { return size; }
    const char *kernel_name() const override { return "median"; }
};

} // namespace

TOMO_ELEMENT(MedianFilter)
