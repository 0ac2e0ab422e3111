// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/source.hpp>

using namespace tomo;

namespace {

class DummyData final : public Source {
  public:
    static constexpr Info info{
        .task = "dummy-data",
        .klass = "Source",
        .blurb = "Images of one value, for tests and benchmarks",
        .in = formats::float32,
        .out = formats::float32 | formats::complex64,
        .example = "tomodummydata width=512 height=256 number=10 init=1 ! tomofft ! tomonull",
    };

    Property<unsigned> width{this,        "width",     1,
                             {1, 131072}, When::ready, "Floats per row; a complex sample has two"};
    Property<unsigned> height{this, "height", 1, {1, 131072}, When::ready, "Rows"};
    Property<unsigned> depth{this, "depth", 1, {1, 131072}, When::ready, "Planes"};
    Property<unsigned> number{this, "number", 1, {1, G_MAXUINT}, When::ready, "Images"};
    Property<float> init{this, "init", 0.0f, "Value of every float"};
    Property<bool> metadata{this, "metadata", false,
                            "Number the images in their frame meta's source, as meta=0, meta=1, ..."};
    Property<bool> complex_layout{this, "complex-layout", false, When::ready,
                                  "Give complex samples, real and imaginary part interleaved"};

    std::optional<std::uint64_t> frame_count() override { return number.value(); }

    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        if (n >= number)
            return {};
        if (!complex_layout)
            return ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height, depth);
        if (width % 2)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("width=%u counts floats; complex-layout needs an even number", width.value()));
        return ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, width / 2, height, depth);
    }

    Array frame(std::uint64_t, const ArrayInfo &info) override {
        Array out = allocate(info);
        const float value = init;
        fill(out, &value, sizeof value);
        return out;
    }

    void describe_frame(std::uint64_t n, GstTomoFrameMeta &meta) override {
        if (metadata)
            meta.source = g_strdup_printf("meta=%" G_GUINT64_FORMAT, n);
    }
};

} // namespace

TOMO_ELEMENT(DummyData)
