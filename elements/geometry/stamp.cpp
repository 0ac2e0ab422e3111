// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>

#include <pango/pangocairo.h>

#include <memory>

using namespace tomo;

namespace {

template <auto free_function>
struct FreeWith {
    template <class T>
    void operator()(T *object) const {
        free_function(object);
    }
};
template <class T, auto free_function>
using Owned = std::unique_ptr<T, FreeWith<free_function>>;

class StampElement final : public Filter {
  public:
    static constexpr Info info{
        .task = "stamp",
        .klass = "Filter/Effect",
        .blurb = "Writes the number of each array into its upper left corner",
        .details =
            R"(The number has six digits, from 000000 for the first array of a stream. Ink of coverage c, 0 to
1, adds c times `scale` to a pixel; digits that do not fit are cut. Pango and Cairo draw them.)",
        .example = "tomoread path=projections number=3 ! tomostamp font=\"Mono 12\" scale=2 ! tomowrite "
                   "filename=numbered.h5:/data",
    };

    Property<std::string> font{this, "font", "Mono 9",
                               "Font as Pango describes it: family, style and size in points"};
    Property<float> scale{this, "scale", 1.0f, {-FLT_MAX, FLT_MAX}, "Value that full ink adds to a pixel"};

    void process(const Array &in, Array &out) override {
        const Writing writing = write(text("%06" G_GUINT64_FORMAT, frame_index()));
        const auto ink = upload(writing.ink);
        launch(kernel("stamp"), WorkSize(out.info()), in, out, BareBuffer{ink}, cl_uint{writing.width},
               cl_uint{writing.height}, scale.value());
    }

  private:
    struct Writing {
        unsigned width, height;
        std::vector<float> ink;
    };

    Writing write(const std::string &written) const {
        const Owned<PangoFontMap, g_object_unref> fonts(pango_cairo_font_map_new());
        const Owned<PangoContext, g_object_unref> context(pango_font_map_create_context(fonts.get()));
        const Owned<PangoLayout, g_object_unref> layout(pango_layout_new(context.get()));
        const Owned<PangoFontDescription, pango_font_description_free> description(
            pango_font_description_from_string(font.value().c_str()));
        pango_layout_set_font_description(layout.get(), description.get());
        pango_layout_set_text(layout.get(), written.c_str(), -1);
        int width = 0, height = 0;
        pango_layout_get_pixel_size(layout.get(), &width, &height);

        const Owned<cairo_surface_t, cairo_surface_destroy> surface(
            cairo_image_surface_create(CAIRO_FORMAT_A8, width, height));
        const Owned<cairo_t, cairo_destroy> drawing(cairo_create(surface.get()));
        pango_cairo_show_layout(drawing.get(), layout.get());
        cairo_surface_flush(surface.get());
        const unsigned char *pixels = cairo_image_surface_get_data(surface.get());
        if (width < 1 || height < 1 || !pixels || cairo_status(drawing.get()) != CAIRO_STATUS_SUCCESS)
            throw Error(GST_LIBRARY_ERROR_SETTINGS,
                        text("can't write %d x %d pixels in font=\"%s\": %s", width, height,
                             font.value().c_str(), cairo_status_to_string(cairo_status(drawing.get()))));
        Writing result{unsigned(width), unsigned(height), {}};
        const int stride = cairo_image_surface_get_stride(surface.get());
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                result.ink.push_back(pixels[std::size_t(y) * stride + x] / 255.0f);
        return result;
    }
};

} // namespace

TOMO_ELEMENT(StampElement)
