// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace {

enum { images, masks };

class HorizontalInterpolate final : public Joiner {
  public:
    static constexpr Info info{
        .task = "horizontal-interpolate",
        .klass = "Filter/Effect",
        .blurb = "Fills the pixels of a mask from the good pixels beside them in the row",
        .details =
            "Pixels whose mask is not 0 are interpolated linearly between the next good pixels to the "
            "left and to the right. Where one side has no good pixel, the line through the two good "
            "pixels next to the gap goes on. If only one pixel is good, or `use-one-sided-gradient` is "
            "off, the nearest good pixel's value goes on. Rows without any good pixel stay as they are. "
            "NaN and infinities under the mask are repaired; all others stay.",
        .example = "tomoread path=projection.tif ! i.images  tomoread path=projection.tif ! tomocalculate "
                   "expression=\"v < 0.3f\" ! i.masks  tomohorizontalinterpolate name=i ! tomowrite "
                   "filename=filled.tif",
    };

    Property<bool> use_one_sided_gradient{
        this, "use-one-sided-gradient", true,
        "Go on with the slope of the two good pixels beside a gap that reaches the border"};

    std::vector<Input> inputs() const override { return {{"images"}, {"masks"}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        const auto &image = in[images], &mask = in[masks];
        if (mask.width != image.width || mask.height != image.height ||
            (mask.depth != image.depth && mask.depth != 1))
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("masks are %u x %u x %u, but images are %u x %u x %u; wanted the same size "
                             "or one plane",
                             mask.width, mask.height, mask.depth, image.width, image.height, image.depth));
        return image.with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        launch(kernel("horizontal_interpolate"), WorkSize(out.info()), in[images], in[masks], out,
               cl_uint{in[masks].depth()}, cl_int{use_one_sided_gradient});
    }
};

} // namespace

TOMO_ELEMENT(HorizontalInterpolate)
