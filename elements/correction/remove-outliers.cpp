// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../filter/box-filter.hpp"

using namespace tomo;

namespace {

class RemoveOutliers final : public BoxFilter {
  public:
    static constexpr Info info{
        .task = "remove-outliers",
        .klass = "Filter/Effect",
        .blurb = "Replaces pixels that differ too much from the median of the square around them",
        .details =
            "An outlier v, with v > median + threshold or v < median - threshold, becomes the median that "
            "the square has without it: the mean of the median and of the next value on the side away "
            "from v. Beyond its edges the image is mirrored, its outermost pixel first. NaN does not "
            "count, and stays NaN.",
        .example = "tomoread path=radiographs ! tomoremoveoutliers size=5 threshold=2000 ! tomowrite "
                   "filename=clean.tif",
    };

    Property<unsigned> size{this, "size", 3, {3, 33}, When::reshapes, "Width of the square in pixels, odd"};
    Property<float> threshold{
        this, "threshold", 1.0f, {-FLT_MAX, FLT_MAX}, "Difference from the median that is still accepted"};
    Property<int> sign{
        this,
        "sign",
        1,
        {-1, 1},
        "Outliers that are replaced: 1 bright ones, -1 dark ones, 0 both, by the median itself"};

    void process(const Array &in, Array &out) override {
        order(in, out, Addressing::mirrored_repeat, threshold.value(), cl_int{sign});
    }

  protected:
    unsigned box_width() const override {
        if (size % 2 == 0)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("size=%u has no middle; wanted an odd size", size.value()));
        return size;
    }
    const char *kernel_name() const override { return "remove_outliers"; }
};

} // namespace

TOMO_ELEMENT(RemoveOutliers)
