// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../filter/box-filter.hpp"

namespace {

class RemoveOutliers final : public tomo::BoxFilter {
  public:
    static constexpr tomo::Info info{
        "remove-outliers",
        "Filter/Effect",
        "Replaces pixels that differ too much from the median of the square around them",
        tomo::formats::real,
        tomo::formats::float32,
        "An outlier v, with v > median + threshold or v < median - threshold, becomes the median that the "
        "square has without it: the mean of the median and of the next value on the side away from v. "
        "Beyond its edges the image is mirrored, its outermost pixel first. NaN does not count, and stays "
        "NaN.",
        "tomoread path=radiographs ! tomoremoveoutliers size=5 threshold=2000 ! tomowrite "
        "filename=clean.tif"};

    tomo::Property<unsigned> size{this, "size",  "Width of the square in pixels, odd",
                                  3,    {3, 33}, tomo::When::reshapes};
    tomo::Property<float> threshold{
        this, "threshold", "Difference from the median that is still accepted", 1.0f, {-FLT_MAX, FLT_MAX}};
    tomo::Property<int> sign{
        this,
        "sign",
        "Outliers that are replaced: 1 bright ones, -1 dark ones, 0 both, by the median itself",
        1,
        {-1, 1}};

    void process(const tomo::Array &in, tomo::Array &out) override {
        order(in, out, tomo::Addressing::mirrored_repeat, threshold.value(), cl_int{sign});
    }

  protected:
    unsigned box_width() const override {
        if (size % 2 == 0)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              tomo::text("size=%u has no middle; wanted an odd size", size.value()));
        return size;
    }
    const char *kernel_name() const override { return "remove_outliers"; }
};

} // namespace

TOMO_ELEMENT(RemoveOutliers)
