// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/source.hpp>

namespace {

class DummyData final : public tomo::Source {
  public:
    static constexpr tomo::Info info{
        "dummy-data",
        "Source",
        "Images of one value, for tests and benchmarks",
        tomo::formats::float32,
        tomo::formats::float32 | tomo::formats::complex64,
        "",
        "tomodummydata width=512 height=256 number=10 init=1 ! tomofft ! tomonull"};

    tomo::Property<unsigned> width{this, "width",     "Floats per row; a complex sample has two",
                                   1,    {1, 131072}, tomo::When::ready};
    tomo::Property<unsigned> height{this, "height", "Rows", 1, {1, 131072}, tomo::When::ready};
    tomo::Property<unsigned> depth{this, "depth", "Planes", 1, {1, 131072}, tomo::When::ready};
    tomo::Property<unsigned> number{this, "number", "Images", 1, {1, G_MAXUINT}, tomo::When::ready};
    tomo::Property<float> init{this, "init", "Value of every float", 0.0f};
    tomo::Property<bool> metadata{
        this, "metadata", "Number the images in their frame meta's source, as meta=0, meta=1, ...", false};
    tomo::Property<bool> complex_layout{this, "complex-layout",
                                        "Give complex samples, real and imaginary part interleaved", false,
                                        tomo::When::ready};

    std::optional<std::uint64_t> frame_count() override { return number.value(); }

    std::optional<tomo::ArrayInfo> frame_info(std::uint64_t n) override {
        if (n >= number)
            return {};
        if (!complex_layout)
            return tomo::ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height, depth);
        if (width % 2)
            throw tomo::Error(
                GST_LIBRARY_ERROR_SETTINGS,
                tomo::text("width=%u counts floats; complex-layout needs an even number", width.value()));
        return tomo::ArrayInfo(GST_TOMO_FORMAT_COMPLEX64, width / 2, height, depth);
    }

    tomo::Array frame(std::uint64_t, const tomo::ArrayInfo &info) override {
        tomo::Array out = allocate(info);
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
