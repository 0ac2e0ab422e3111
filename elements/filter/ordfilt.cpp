// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "padded.hpp"

#include <gst/tomo/bases/joiner.hpp>

using namespace tomo;

namespace {

enum { images, patterns };

class Ordfilt final : public Joiner {
  public:
    static constexpr Info info{
        .task = "ordfilt",
        .klass = "Filter/Effect",
        .blurb = "Tells how bright and even the pixels under a pattern are, from two ranks of their order",
        .details =
            "Of the n pixels that lie where the pattern is not 0, with its pixel (width / 2, height / 2), "
            "rounded down, on the pixel in question, a and b are the values of ranks n / 4 - 1 and n / 2 "
            "- 1, rounded down and counted from 0. The result is (a + b) / 2 (1 - (b - a)). Beyond its "
            "edges the image is mirrored, its outermost pixel first. A NaN under the pattern gives NaN. A "
            "pattern has one plane, and stays until the next one comes.",
        .example =
            "tomoread path=slice.tif ! o.images  tomoringpattern width=15 height=15 ring-thickness=3 ! "
            "tomopad x=7 y=7 width=15 height=15 addressing-mode=repeat ! o.patterns  tomoordfilt name=o ! "
            "tomowrite filename=centres.tif",
    };

    std::vector<Input> inputs() const override { return {{"images"}, {"patterns"}}; }

    ArrayInfo shape(const std::vector<ArrayInfo> &in) override {
        if (in[patterns].depth != 1)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("patterns have %u planes; wanted one", in[patterns].depth));
        width_ = in[images].width;
        pattern_ = {};
        return in[images].with_format(GST_TOMO_FORMAT_FLOAT32);
    }

    void process(const std::vector<Array> &in, Array &out) override {
        if (pattern_->storage() != in[patterns].storage() ||
            pattern_->byte_offset() != in[patterns].byte_offset())
            look_at(in[patterns]);
        input_format("in", in[images].info().format);
        const auto image = padded(*this, in[images], margin_, Addressing::mirrored_repeat);
        auto rank = [&](float share) {
            return static_cast<cl_uint>(std::max(0.0f, static_cast<float>(size_) * share - 1.0f));
        };
        launch(kernel("ordfilt", "", "order-statistics.cl"), WorkSize(out.info()), image, out,
               BareBuffer{*offsets_}, size_, cl_uint{image.width()}, cl_uint{image.height()}, rank(0.25f),
               rank(0.5f));
    }

  private:
    // Lists the pattern's pixels; on the host, because how many they are decides about the sizes of all that
    // follows.
    void look_at(const Array &pattern) {
        const unsigned width = pattern.width(), height = pattern.height();
        margin_ = {width / 2, height / 2, width - 1 - width / 2, height - 1 - height / 2};
        input_format("in", pattern.info().format);
        const auto floats = padded(*this, pattern, {}, Addressing::clamp);
        const Host<const float> host(floats);
        std::vector<cl_int> offsets;
        for (unsigned y = 0; y < height; y++)
            for (unsigned x = 0; x < width; x++)
                if (host[std::size_t{y} * width + x] != 0.0f)
                    offsets.push_back(static_cast<cl_int>(std::size_t{y} * (width_ + width - 1) + x));
        if (offsets.empty())
            throw Error(GST_STREAM_ERROR_FORMAT, "a pattern is 0 everywhere; wanted pixels that are not 0");
        size_ = static_cast<cl_uint>(offsets.size());
        offsets_ = upload(offsets.data(), offsets.size() * sizeof offsets[0]);
        pattern_ = pattern;
    }

    unsigned width_ = 0;             // of the images
    UntilStop<Array> pattern_{this}; // that the following is known of
    UntilStop<Array> offsets_{this}; // from its first pixel on, in an image with its margin
    Margin margin_{};
    cl_uint size_ = 0;
};

} // namespace

TOMO_ELEMENT(Ordfilt)
