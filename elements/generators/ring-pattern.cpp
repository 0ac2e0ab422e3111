// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/source.hpp>

#include <cmath>

using namespace tomo;

namespace {

class RingPattern final : public Source {
  public:
    static constexpr Info info{
        .task = "ring-pattern",
        .klass = "Source",
        .blurb = "Rings around the first pixel, one image for each radius, as masks to correlate images with",
        .in = formats::float32,
        .details =
            "A pixel belongs to the ring where its distance to the first pixel differs by less than "
            "ring-thickness / 2 from the radius; indices from half the size on count as negative, as in a "
            "spectrum, so `tomoswapquadrants` moves the ring to the middle. The pixels of a ring share "
            "the sum of 1. The frame meta's source is radius=5, radius=7, ...",
        .example =
            "tomoringpattern width=65 height=65 ring-end=11 ring-thickness=3 ! tomowrite filename=rings.tif",
    };

    Property<unsigned> ring_start{this,           "ring-start", 5,
                                  {1, G_MAXUINT}, When::ready,  "First radius in pixels"};
    Property<unsigned> ring_step{this,           "ring-step", 2,
                                 {1, G_MAXUINT}, When::ready, "Distance of one radius to the next"};
    Property<unsigned> ring_end{this, "ring-end", 5, {1, G_MAXUINT}, When::ready, "Radii go up to this one"};
    Property<unsigned> ring_thickness{this,           "ring-thickness", 13,
                                      {1, G_MAXUINT}, When::ready,      "Outer less inner radius"};
    Property<unsigned> width{this, "width", 1024, {1, G_MAXUINT}, When::ready, "Columns"};
    Property<unsigned> height{this, "height", 1024, {1, G_MAXUINT}, When::ready, "Rows"};

    void start() override {
        if (ring_start > ring_end)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("ring-start=%u is above ring-end=%u: there is no ring; wanted a range",
                             ring_start.value(), ring_end.value()));
    }

    std::optional<std::uint64_t> frame_count() override {
        return (ring_end - ring_start) / ring_step + std::uint64_t{1};
    }

    std::optional<ArrayInfo> frame_info(std::uint64_t n) override {
        if (n >= frame_count())
            return {};
        if (width > G_MAXINT || height > G_MAXINT)
            throw Error(GST_LIBRARY_ERROR_SETTINGS, text("width=%u height=%u is too large; wanted up to %d",
                                                         width.value(), height.value(), G_MAXINT));
        return ArrayInfo(GST_TOMO_FORMAT_FLOAT32, width, height);
    }

    Array frame(std::uint64_t n, const ArrayInfo &info) override {
        Array out = allocate(info);
        const Host<float> pattern(out);
        std::uint64_t pixels = 0;
        for (unsigned y = 0; y < info.height; y++)
            for (unsigned x = 0; x < info.width; x++) {
                const double distance = std::hypot(signed_index(x, info.width), signed_index(y, info.height));
                const bool inside = std::abs(distance - radius(n)) < ring_thickness / 2.0;
                pattern[std::size_t{y} * info.width + x] = inside;
                pixels += inside;
            }
        if (!pixels)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("a ring of radius %" G_GUINT64_FORMAT " and ring-thickness=%u has no pixel "
                             "in %u x %u; wanted a larger image or a smaller ring-end",
                             radius(n), ring_thickness.value(), info.width, info.height));
        for (std::uint64_t i = 0; i < info.samples(); i++)
            pattern[i] /= static_cast<float>(pixels);
        return out;
    }

    void describe_frame(std::uint64_t n, GstTomoFrameMeta &meta) override {
        meta.source = g_strdup_printf("radius=%" G_GUINT64_FORMAT, radius(n));
    }

  private:
    std::uint64_t radius(std::uint64_t n) const { return ring_start + n * ring_step; }
    static double signed_index(unsigned i, unsigned size) {
        return i < (size + 1) / 2 ? i : double(i) - size;
    }
};

} // namespace

TOMO_ELEMENT(RingPattern)
