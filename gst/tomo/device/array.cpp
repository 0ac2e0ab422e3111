// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/array.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <limits>
#include <memory>

namespace {

struct FormatFacts {
    const char *name;
    gsize size;
};

// Indexed by GstTomoFormat.
constexpr FormatFacts formats[] = {
    {"unknown", 0}, {"uint8", 1},   {"uint16", 2},  {"uint32", 4},  {"int16", 2},
    {"int32", 4},   {"float16", 2}, {"float32", 4}, {"float64", 8}, {"complex64", 8},
};
constexpr int n_formats = G_N_ELEMENTS(formats);

constexpr const char *domains[] = {"unknown", "projection", "sinogram", "slice", "volume", "spectrum"};

template <std::size_t N, class Name>
GType register_enum(const char *type_name, Name name_of) {
    // GEnumValue tables must outlive the type, that is: the process.
    auto *values = g_new0(GEnumValue, N + 1);
    for (std::size_t i = 0; i < N; i++)
        values[i] = {static_cast<gint>(i), name_of(i), name_of(i)};
    return g_enum_register_static(type_name, values);
}

const char *domain_name(GstTomoDomain domain) { return domains[static_cast<int>(domain)]; }

GstTomoDomain domain_from_name(const char *name) {
    for (std::size_t i = 0; i < G_N_ELEMENTS(domains); i++)
        if (g_strcmp0(name, domains[i]) == 0)
            return static_cast<GstTomoDomain>(i);
    return GST_TOMO_DOMAIN_UNKNOWN;
}

} // namespace

GType gst_tomo_format_get_type(void) {
    static const GType type =
        register_enum<n_formats>("GstTomoFormat", [](std::size_t i) { return formats[i].name; });
    return type;
}

GType gst_tomo_domain_get_type(void) {
    static const GType type =
        register_enum<G_N_ELEMENTS(domains)>("GstTomoDomain", [](std::size_t i) { return domains[i]; });
    return type;
}

/**
 * gst_tomo_format_to_string:
 * @format: a format
 *
 * Returns: the name that stands in caps, for instance "uint16"
 */
const gchar *gst_tomo_format_to_string(GstTomoFormat format) {
    g_return_val_if_fail(format >= 0 && format < n_formats, formats[0].name);
    return formats[format].name;
}

/**
 * gst_tomo_format_from_string:
 * @name: (nullable): a name as in caps
 *
 * Returns: the format, or %GST_TOMO_FORMAT_UNKNOWN
 */
GstTomoFormat gst_tomo_format_from_string(const gchar *name) {
    for (int i = 1; i < n_formats; i++)
        if (g_strcmp0(name, formats[i].name) == 0)
            return static_cast<GstTomoFormat>(i);
    return GST_TOMO_FORMAT_UNKNOWN;
}

/**
 * gst_tomo_format_get_size:
 * @format: a format
 *
 * Returns: bytes per sample
 */
gsize gst_tomo_format_get_size(GstTomoFormat format) {
    g_return_val_if_fail(format >= 0 && format < n_formats, 0);
    return formats[format].size;
}

G_DEFINE_BOXED_TYPE(GstTomoArrayInfo, gst_tomo_array_info, gst_tomo_array_info_copy, gst_tomo_array_info_free)

/**
 * gst_tomo_array_info_new:
 * @format: type of a sample
 * @width: samples per row
 * @height: rows per plane
 * @depth: planes
 *
 * Returns: (transfer full): the info, without a frame rate
 */
GstTomoArrayInfo *gst_tomo_array_info_new(GstTomoFormat format, guint width, guint height, guint depth) {
    const tomo::ArrayInfo info(format, width, height, depth);
    return gst_tomo_array_info_copy(&info);
}

/**
 * gst_tomo_array_info_copy:
 * @info: an info
 *
 * Returns: (transfer full): a copy
 */
GstTomoArrayInfo *gst_tomo_array_info_copy(const GstTomoArrayInfo *info) {
    g_return_val_if_fail(info, nullptr);
    auto *copy = g_new(GstTomoArrayInfo, 1);
    *copy = *info;
    return copy;
}

/**
 * gst_tomo_array_info_free:
 * @info: (transfer full): an info
 *
 * Frees it.
 */
void gst_tomo_array_info_free(GstTomoArrayInfo *info) { g_free(info); }

/**
 * gst_tomo_array_info_new_from_caps:
 * @caps: fixed caps of an array stream
 * @error: what is wrong with them
 *
 * Returns: (transfer full) (nullable): the info, %NULL on error
 */
GstTomoArrayInfo *gst_tomo_array_info_new_from_caps(const GstCaps *caps, GError **error) {
    try {
        const auto info = tomo::ArrayInfo::from_caps(caps);
        return gst_tomo_array_info_copy(&info);
    } catch (const tomo::Error &e) {
        g_set_error_literal(error, e.domain, e.code, e.what());
        return nullptr;
    }
}

/**
 * gst_tomo_array_info_to_caps:
 * @info: an info
 * @device_memory: whether the caps carry the feature %GST_TOMO_CAPS_FEATURE_MEMORY
 *
 * Returns: (transfer full): fixed caps
 */
GstCaps *gst_tomo_array_info_to_caps(const GstTomoArrayInfo *info, gboolean device_memory) {
    g_return_val_if_fail(info, nullptr);
    auto *caps = gst_caps_new_simple(
        GST_TOMO_ARRAY_MEDIA_TYPE, "format", G_TYPE_STRING, gst_tomo_format_to_string(info->format), "width",
        G_TYPE_INT, info->width, "height", G_TYPE_INT, info->height, "depth", G_TYPE_INT, info->depth,
        "framerate", GST_TYPE_FRACTION, info->fps_n, info->fps_d, nullptr);
    if (info->domain != GST_TOMO_DOMAIN_UNKNOWN)
        gst_caps_set_simple(caps, "domain", G_TYPE_STRING, domain_name(info->domain), nullptr);
    if (device_memory)
        gst_caps_set_features_simple(caps, gst_caps_features_new(GST_TOMO_CAPS_FEATURE_MEMORY, nullptr));
    return caps;
}

/**
 * gst_tomo_array_info_get_size:
 * @info: an info
 *
 * Returns: bytes of one array
 */
guint64 gst_tomo_array_info_get_size(const GstTomoArrayInfo *info) {
    g_return_val_if_fail(info, 0);
    return guint64{info->width} * info->height * info->depth * gst_tomo_format_get_size(info->format);
}

/**
 * gst_tomo_array_info_is_equal:
 * @a: an info
 * @b: another
 *
 * Returns: whether shape, type, rate and domain agree
 */
gboolean gst_tomo_array_info_is_equal(const GstTomoArrayInfo *a, const GstTomoArrayInfo *b) {
    return a->format == b->format && a->width == b->width && a->height == b->height && a->depth == b->depth &&
           a->fps_n == b->fps_n && a->fps_d == b->fps_d && a->domain == b->domain;
}

namespace tomo {

// The one way from computed sizes to those of an array.
static void set_size(GstTomoArrayInfo &info, std::uint64_t width, std::uint64_t height, std::uint64_t depth) {
    if (std::max({width, height, depth}) > G_MAXUINT)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("an array of %s %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                         " is too large: wanted up to %u samples in each direction",
                         gst_tomo_format_to_string(info.format), width, height, depth, G_MAXUINT));
    info.width = static_cast<guint>(width);
    info.height = static_cast<guint>(height);
    info.depth = static_cast<guint>(depth);
}

ArrayInfo::ArrayInfo(GstTomoFormat format_, std::uint64_t width_, std::uint64_t height_, std::uint64_t depth_)
    : GstTomoArrayInfo{} {
    format = format_;
    set_size(*this, width_, height_, depth_);
    fps_d = 1;
}

ArrayInfo ArrayInfo::from_caps(const GstCaps *caps) {
    ArrayInfo info;
    auto described = [&] {
        std::unique_ptr<char, decltype(&g_free)> s(caps ? gst_caps_to_string(caps) : g_strdup("none"),
                                                   g_free);
        return std::string(s.get());
    };
    if (!caps || !gst_caps_is_fixed(caps))
        throw Error(GST_STREAM_ERROR_FORMAT, text("caps are not fixed: %s", described().c_str()));
    const auto *s = gst_caps_get_structure(caps, 0);
    if (!gst_structure_has_name(s, GST_TOMO_ARRAY_MEDIA_TYPE))
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("wanted " GST_TOMO_ARRAY_MEDIA_TYPE ", got %s", described().c_str()));
    int w = 0, h = 0, d = 0;
    info.format = gst_tomo_format_from_string(gst_structure_get_string(s, "format"));
    if (info.format == GST_TOMO_FORMAT_UNKNOWN || !gst_structure_get_int(s, "width", &w) ||
        !gst_structure_get_int(s, "height", &h) || !gst_structure_get_int(s, "depth", &d) || w < 1 || h < 1 ||
        d < 1)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("array caps need format, width, height and depth: %s", described().c_str()));
    info.width = w;
    info.height = h;
    info.depth = d;
    if (!gst_structure_get_fraction(s, "framerate", &info.fps_n, &info.fps_d)) {
        info.fps_n = 0;
        info.fps_d = 1;
    }
    info.domain = domain_from_name(gst_structure_get_string(s, "domain"));

    if (!info.is_countable())
        throw Error(GST_STREAM_ERROR_FORMAT, text("an array of %s is too large", info.describe().c_str()));
    return info;
}

GstCaps *ArrayInfo::to_caps(bool device_memory) const {
    if (std::max({width, height, depth}) > G_MAXINT) // which is what caps hold
        throw Error(
            GST_STREAM_ERROR_FORMAT,
            text("an array of %s is too large for a stream: wanted up to %d samples in each direction",
                 describe().c_str(), G_MAXINT));
    return gst_tomo_array_info_to_caps(this, device_memory);
}

ArrayInfo ArrayInfo::with_format(GstTomoFormat f) const {
    ArrayInfo info = *this;
    info.format = f;
    return info;
}

ArrayInfo ArrayInfo::with_size(std::uint64_t w, std::uint64_t h, std::uint64_t d) const {
    ArrayInfo info = *this;
    set_size(info, w, h, d);
    return info;
}

ArrayInfo ArrayInfo::with_domain(GstTomoDomain d) const {
    ArrayInfo info = *this;
    info.domain = d;
    return info;
}

ArrayInfo ArrayInfo::with_rate(int n, int d) const {
    ArrayInfo info = *this;
    info.fps_n = n;
    info.fps_d = d;
    return info;
}

bool ArrayInfo::is_countable() const {
    const auto limit = std::uint64_t{std::numeric_limits<std::int64_t>::max()} / sample_size();
    return plane_samples() <= limit / depth;
}

ArrayInfo ArrayInfo::with_rate_times(unsigned n, unsigned d) const {
    int rate_n = 0, rate_d = 1;
    if (n > G_MAXINT || d > G_MAXINT || !gst_util_fraction_multiply(fps_n, fps_d, n, d, &rate_n, &rate_d))
        return with_rate(0, 1);
    return with_rate(rate_n, rate_d);
}

ArrayInfo ArrayInfo::floats() const {
    return is_complex() ? with_format(GST_TOMO_FORMAT_FLOAT32).with_size(std::uint64_t{2} * width, height)
                        : *this;
}

GstClockTime ArrayInfo::frame_duration() const {
    return fps_n > 0 ? gst_util_uint64_scale_int(GST_SECOND, fps_d, fps_n) : GST_CLOCK_TIME_NONE;
}

std::string ArrayInfo::describe() const {
    return text("%s %u x %u x %u", gst_tomo_format_to_string(format), width, height, depth);
}

std::string to_string(const GstCaps *caps) {
    return CString(caps ? gst_caps_to_string(caps) : g_strdup("none")).get();
}

} // namespace tomo
