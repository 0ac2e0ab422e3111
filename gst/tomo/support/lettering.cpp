// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/lettering.hpp>

#ifdef GST_TOMO_HAVE_PANGO
#include <pango/pangocairo.h>
#endif

#include <memory>

namespace tomo {

#ifdef GST_TOMO_HAVE_PANGO

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

} // namespace

bool has_lettering() { return true; }

Ink ink_of(const std::string &written, const std::string &font) {
    const Owned<PangoFontMap, g_object_unref> fonts(pango_cairo_font_map_new());
    const Owned<PangoContext, g_object_unref> context(pango_font_map_create_context(fonts.get()));
    const Owned<PangoLayout, g_object_unref> layout(pango_layout_new(context.get()));
    const Owned<PangoFontDescription, pango_font_description_free> description(
        pango_font_description_from_string(font.c_str()));
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
                    text("can't write %d x %d pixels in font=\"%s\": %s", width, height, font.c_str(),
                         cairo_status_to_string(cairo_status(drawing.get()))));
    Ink ink{unsigned(width), unsigned(height), {}};
    const int stride = cairo_image_surface_get_stride(surface.get());
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            ink.coverage.push_back(pixels[std::size_t(y) * stride + x] / 255.0f);
    return ink;
}

#else

bool has_lettering() { return false; }

Ink ink_of(const std::string &, const std::string &) {
    throw Error(GST_LIBRARY_ERROR_SETTINGS,
                "this build writes no text into images; it was made without Pango");
}

#endif

} // namespace tomo
