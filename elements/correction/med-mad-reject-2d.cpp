// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../filter/box-filter.hpp"

namespace {

class MedMadReject2d final : public tomo::BoxFilter {
  public:
    static constexpr tomo::Info info{
        "med-mad-reject-2d",
        "Filter/Effect",
        "Replaces pixels that are too many deviations away from the median of the square around them",
        tomo::formats::real,
        tomo::formats::float32,
        "A pixel v stays where |v - m| < threshold MAD, with the median m of the square and the median "
        "absolute deviation MAD, that of |w - m| over all pixels w of the square. All others become m. Only "
        "pixels inside of the image count; of an even number, the upper one of the two values in the middle "
        "is the median. NaN does not count, and is replaced unless the whole square is NaN.",
        "tomoread path=radiographs ! tomomedmadreject2d box-size=5 threshold=6 ! tomowrite "
        "filename=clean.tif"};

    tomo::Property<float> threshold{
        this, "threshold", "Median absolute deviations that are accepted", 3.0f, {0.0f, FLT_MAX}};
    tomo::Property<unsigned> box_size{this, "box-size",       "Width of the square in pixels, odd",
                                      3,    {1, largest_box}, tomo::When::reshapes};

    void process(const tomo::Array &in, tomo::Array &out) override {
        order(in, out, tomo::Addressing::none, threshold.value());
    }

  protected:
    unsigned box_width() const override {
        if (box_size % 2 == 0)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              tomo::text("box-size=%u has no middle; wanted an odd size", box_size.value()));
        return box_size;
    }
    const char *kernel_name() const override { return "med_mad_reject_2d"; }
};

} // namespace

TOMO_ELEMENT(MedMadReject2d)
