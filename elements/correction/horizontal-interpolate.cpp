// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

namespace {

enum { images, masks };

class HorizontalInterpolate final : public tomo::Joiner {
  public:
    static constexpr tomo::Info info{
        "horizontal-interpolate",
        "Filter/Effect",
        "Fills the pixels of a mask from the good pixels beside them in the row",
        tomo::formats::real,
        tomo::formats::float32,
        "Pixels whose mask is not 0 are interpolated linearly between the next good pixels to the left and "
        "to the right. Where one side has no good pixel, the line through the two good pixels next to the "
        "gap goes on. If only one pixel is good, or `use-one-sided-gradient` is off, the nearest good "
        "pixel's value goes on. Rows without any good pixel stay as they are. NaN and infinities under the "
        "mask are repaired; all others stay.",
        "tomoread path=projection.tif ! i.images  tomoread path=projection.tif ! tomocalculate "
        "expression=\"v < 0.3f\" ! i.masks  tomohorizontalinterpolate name=i ! tomowrite "
        "filename=filled.tif"};

    tomo::Property<bool> use_one_sided_gradient{
        this, "use-one-sided-gradient",
        "Go on with the slope of the two good pixels beside a gap that reaches the border", true};

    std::vector<Input> inputs() const override { return {{"images"}, {"masks"}}; }

    tomo::ArrayInfo shape(const std::vector<tomo::ArrayInfo> &in) override {
        const auto &image = in[images], &mask = in[masks];
        if (mask.width != image.width || mask.height != image.height ||
            (mask.depth != image.depth && mask.depth != 1))
            throw tomo::Error(
                GST_STREAM_ERROR_FORMAT,
                tomo::text("masks are %u x %u x %u, but images are %u x %u x %u; wanted the same size "
                           "or one plane",
                           mask.width, mask.height, mask.depth, image.width, image.height, image.depth));
        return image.with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<tomo::Array> &in, tomo::Array &out) override {
        launch(kernel("horizontal_interpolate"), tomo::WorkSize(out.info()), in[images], in[masks], out,
               cl_uint{in[masks].depth()}, cl_int{use_one_sided_gradient});
    }
};

} // namespace

TOMO_ELEMENT(HorizontalInterpolate)
