// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "box-filter.hpp"

using namespace tomo;

namespace {

class Denoise final : public BoxFilter {
  public:
    static constexpr Info info{
        .task = "denoise",
        .klass = "Filter/Effect",
        .blurb = "Subtracts the background, the 30th percentile around each pixel; values below it become 0",
        .details =
            "The background is the value of rank 0.3 n - 1, rounded down and counted from 0, among the n "
            "pixels of the square. The square begins (matrix-size - 1) / 2 pixels, rounded down, left of "
            "and above the pixel; beyond its edges the image is mirrored, its outermost pixel first. A "
            "square with a NaN gives NaN.",
        .example = "tomoread path=slice.tif ! tomodenoise ! tomowrite filename=foreground.tif",
    };

    Property<unsigned> matrix_size{
        this,           "matrix-size",  13,
        {1, G_MAXUINT}, When::reshapes, "Width of the square in pixels, at most 1023"};

    void process(const Array &in, Array &out) override {
        const float rank = static_cast<float>(matrix_size * matrix_size) * 0.3f - 1.0f;
        order(in, out, Addressing::mirrored_repeat, static_cast<cl_uint>(std::max(rank, 0.0f)));
    }

  protected:
    unsigned box_width() const override {
        if (matrix_size > largest_box)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, text("matrix-size=%u is too large; wanted at most %u",
                                                         matrix_size.value(), largest_box));
        return matrix_size;
    }
    const char *kernel_name() const override { return "above_background"; }
};

} // namespace

TOMO_ELEMENT(Denoise)
