// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "box-filter.hpp"

namespace {

class Denoise final : public tomo::BoxFilter {
  public:
    static constexpr tomo::Info info{
        "denoise",
        "Filter/Effect",
        "Subtracts the background, the 30th percentile around each pixel; values below it become 0",
        tomo::formats::real,
        tomo::formats::float32,
        "The background is the value of rank 0.3 n - 1, rounded down and counted from 0, among the n pixels "
        "of the "
        "square. The square begins (matrix-size - 1) / 2 pixels, rounded down, left of and above the pixel; "
        "beyond its "
        "edges the image is mirrored, its outermost pixel first. A square with a NaN gives NaN.",
        "tomoread path=slice.tif ! tomodenoise ! tomowrite filename=foreground.tif"};

    tomo::Property<unsigned> matrix_size{this, "matrix-size",  "Width of the square in pixels, at most 1023",
                                         13,   {1, G_MAXUINT}, tomo::When::reshapes};

    void process(const tomo::Array &in, tomo::Array &out) override {
        const float rank = static_cast<float>(matrix_size * matrix_size) * 0.3f - 1.0f;
        order(in, out, tomo::Addressing::mirrored_repeat, static_cast<cl_uint>(std::max(rank, 0.0f)));
    }

  protected:
    unsigned box_width() const override {
        if (matrix_size > largest_box)
            throw tomo::Error(GST_LIBRARY_ERROR_SETTINGS,
                              tomo::text("matrix-size=%u is too large; wanted at most %u",
                                         matrix_size.value(), largest_box));
        return matrix_size;
    }
    const char *kernel_name() const override { return "above_background"; }
};

} // namespace

TOMO_ELEMENT(Denoise)
