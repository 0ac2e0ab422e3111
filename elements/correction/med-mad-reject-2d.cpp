// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../filter/box-filter.hpp"

using namespace tomo;

namespace {

class MedMadReject2d final : public BoxFilter {
  public:
    static constexpr Info info{
        .task = "med-mad-reject-2d",
        .klass = "Filter/Effect",
        .blurb =
            "Replaces pixels that are too many deviations away from the median of the square around them",
        .details =
            "A pixel v stays where |v - m| < threshold MAD, with the median m of the square and the "
            "median absolute deviation MAD, that of |w - m| over all pixels w of the square. All others "
            "become m. Only pixels inside of the image count; of an even number, the upper one of the two "
            "values in the middle is the median. NaN does not count, and is replaced unless the whole "
            "square is NaN.",
        .example = "tomoread path=radiographs ! tomomedmadreject2d box-size=5 threshold=6 ! tomowrite "
                   "filename=clean.tif",
    };

    Property<float> threshold{
        this, "threshold", 3.0f, {0.0f, FLT_MAX}, "Median absolute deviations that are accepted"};
    Property<unsigned> box_size{
        this, "box-size", 3, {1, largest_box}, When::reshapes, "Width of the square in pixels, odd"};

    void process(const Array &in, Array &out) override {
        order(in, out, Addressing::none, threshold.value());
    }

  protected:
    unsigned box_width() const override {
        if (box_size % 2 == 0)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("box-size=%u has no middle; wanted an odd size", box_size.value()));
        return box_size;
    }
    const char *kernel_name() const override { return "med_mad_reject_2d"; }
};

} // namespace

TOMO_ELEMENT(MedMadReject2d)
