// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/array.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/gsttomometa.h>

#include <cmath>

static gboolean gst_tomo_frame_meta_init(GstMeta *meta, gpointer, GstBuffer *) {
    auto *self = reinterpret_cast<GstTomoFrameMeta *>(meta);
    self->index = 0;
    self->angle = std::nan("");
    self->time = GST_CLOCK_TIME_NONE;
    self->source = nullptr;
    return TRUE;
}

static void gst_tomo_frame_meta_free(GstMeta *meta, GstBuffer *) {
    g_free(reinterpret_cast<GstTomoFrameMeta *>(meta)->source);
}

static gboolean gst_tomo_frame_meta_transform(GstBuffer *to, GstMeta *meta, GstBuffer *, GQuark, gpointer) {
    const auto *self = reinterpret_cast<GstTomoFrameMeta *>(meta);
    return gst_buffer_add_tomo_frame_meta(to, self->index, self->angle, self->time, self->source) != nullptr;
}

GType gst_tomo_frame_meta_api_get_type(void) {
    // No tags: the facts stay true whatever is done to the pixels, so converters of others keep them.
    static const gchar *tags[] = {nullptr};
    static const GType type = gst_meta_api_type_register("GstTomoFrameMetaAPI", tags);
    return type;
}

/**
 * gst_tomo_frame_meta_get_info: (skip)
 *
 * Returns: the implementation's description
 */
const GstMetaInfo *gst_tomo_frame_meta_get_info(void) {
    static const GstMetaInfo *info =
        gst_meta_register(GST_TOMO_FRAME_META_API_TYPE, "GstTomoFrameMeta", sizeof(GstTomoFrameMeta),
                          gst_tomo_frame_meta_init, gst_tomo_frame_meta_free, gst_tomo_frame_meta_transform);
    return info;
}

/**
 * gst_buffer_add_tomo_frame_meta:
 * @buffer: a writable buffer
 * @index: number of the frame in its scan, from 0
 * @angle: rotation angle in radians, NaN when unknown
 * @time: time of exposure in nanoseconds since the epoch, or %GST_CLOCK_TIME_NONE
 * @source: (nullable): where the frame comes from
 *
 * Returns: (transfer none): the new meta
 */
GstTomoFrameMeta *gst_buffer_add_tomo_frame_meta(GstBuffer *buffer, guint64 index, gdouble angle,
                                                 GstClockTime time, const gchar *source) {
    auto *self = reinterpret_cast<GstTomoFrameMeta *>(
        gst_buffer_add_meta(buffer, gst_tomo_frame_meta_get_info(), nullptr));
    self->index = index;
    self->angle = angle;
    self->time = time;
    self->source = g_strdup(source);
    return self;
}

/**
 * gst_buffer_get_tomo_frame_meta:
 * @buffer: a buffer
 *
 * Returns: (transfer none) (nullable): its meta, %NULL if there is none
 */
GstTomoFrameMeta *gst_buffer_get_tomo_frame_meta(GstBuffer *buffer) {
    return reinterpret_cast<GstTomoFrameMeta *>(gst_buffer_get_meta(buffer, GST_TOMO_FRAME_META_API_TYPE));
}

static gboolean gst_tomo_array_meta_init(GstMeta *meta, gpointer, GstBuffer *) {
    auto *self = reinterpret_cast<GstTomoArrayMeta *>(meta);
    self->offset = self->row_stride = self->plane_stride = 0;
    self->x = self->y = self->z = 0;
    return TRUE;
}

static gboolean gst_tomo_array_meta_transform(GstBuffer *to, GstMeta *meta, GstBuffer *, GQuark type,
                                              gpointer data) {
    // Only a whole copy has the same layout.
    if (!GST_META_TRANSFORM_IS_COPY(type) || static_cast<GstMetaTransformCopy *>(data)->region)
        return FALSE;
    const auto *self = reinterpret_cast<GstTomoArrayMeta *>(meta);
    auto *copy = gst_buffer_add_tomo_array_meta(to, self->offset, self->row_stride, self->plane_stride);
    copy->x = self->x;
    copy->y = self->y;
    copy->z = self->z;
    return TRUE;
}

GType gst_tomo_array_meta_api_get_type(void) {
    static const gchar *tags[] = {GST_META_TAG_MEMORY_STR, nullptr};
    static const GType type = gst_meta_api_type_register("GstTomoArrayMetaAPI", tags);
    return type;
}

/**
 * gst_tomo_array_meta_get_info: (skip)
 *
 * Returns: the implementation's description
 */
const GstMetaInfo *gst_tomo_array_meta_get_info(void) {
    static const GstMetaInfo *info =
        gst_meta_register(GST_TOMO_ARRAY_META_API_TYPE, "GstTomoArrayMeta", sizeof(GstTomoArrayMeta),
                          gst_tomo_array_meta_init, nullptr, gst_tomo_array_meta_transform);
    return info;
}

/**
 * gst_buffer_add_tomo_array_meta:
 * @buffer: a writable buffer
 * @offset: bytes to the first sample
 * @row_stride: bytes from one row to the next
 * @plane_stride: bytes from one plane to the next
 *
 * Returns: (transfer none): the new meta, with a region that starts at the origin
 */
GstTomoArrayMeta *gst_buffer_add_tomo_array_meta(GstBuffer *buffer, gsize offset, gsize row_stride,
                                                 gsize plane_stride) {
    auto *self = reinterpret_cast<GstTomoArrayMeta *>(
        gst_buffer_add_meta(buffer, gst_tomo_array_meta_get_info(), nullptr));
    self->offset = offset;
    self->row_stride = row_stride;
    self->plane_stride = plane_stride;
    return self;
}

/**
 * gst_buffer_get_tomo_array_meta:
 * @buffer: a buffer
 *
 * Returns: (transfer none) (nullable): its meta, %NULL if the array is packed
 */
GstTomoArrayMeta *gst_buffer_get_tomo_array_meta(GstBuffer *buffer) {
    return reinterpret_cast<GstTomoArrayMeta *>(gst_buffer_get_meta(buffer, GST_TOMO_ARRAY_META_API_TYPE));
}

/**
 * gst_event_new_tomo_scan:
 * @angles: (array length=n_angles) (nullable): rotation angle of each projection in radians
 * @n_angles: number of angles, 0 when they are not known
 * @axis_position: rotation axis in edge coordinates of the detector's columns, NaN when unknown
 * @pixel_size: at the sample in metres, NaN when unknown
 *
 * Returns: (transfer full): a sticky event that describes the scan
 */
GstEvent *gst_event_new_tomo_scan(const gdouble *angles, guint n_angles, gdouble axis_position,
                                  gdouble pixel_size) {
    g_return_val_if_fail(angles || n_angles == 0, nullptr);
    GValue list = G_VALUE_INIT;
    gst_value_array_init(&list, n_angles);
    for (guint i = 0; i < n_angles; i++) {
        GValue value = G_VALUE_INIT;
        g_value_init(&value, G_TYPE_DOUBLE);
        g_value_set_double(&value, angles[i]);
        gst_value_array_append_and_take_value(&list, &value);
    }
    GstStructure *s = gst_structure_new(GST_TOMO_SCAN_EVENT, "axis-position", G_TYPE_DOUBLE, axis_position,
                                        "pixel-size", G_TYPE_DOUBLE, pixel_size, nullptr);
    gst_structure_take_value(s, "angles", &list);
    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, s);
}

/**
 * gst_event_is_tomo_scan:
 * @event: an event
 *
 * Returns: whether it describes a scan
 */
gboolean gst_event_is_tomo_scan(GstEvent *event) { return gst_event_has_name(event, GST_TOMO_SCAN_EVENT); }

/**
 * gst_event_parse_tomo_scan:
 * @event: an event for which gst_event_is_tomo_scan() holds
 * @n_angles: (out): number of angles
 * @axis_position: (out) (optional): rotation axis in edge coordinates, NaN when unknown
 * @pixel_size: (out) (optional): at the sample in metres, NaN when unknown
 *
 * Returns: (transfer full) (array length=n_angles) (nullable): angles in radians
 */
gdouble *gst_event_parse_tomo_scan(GstEvent *event, guint *n_angles, gdouble *axis_position,
                                   gdouble *pixel_size) {
    g_return_val_if_fail(gst_event_is_tomo_scan(event), nullptr);
    const GstStructure *s = gst_event_get_structure(event);
    if (axis_position && !gst_structure_get_double(s, "axis-position", axis_position))
        *axis_position = std::nan("");
    if (pixel_size && !gst_structure_get_double(s, "pixel-size", pixel_size))
        *pixel_size = std::nan("");
    const GValue *list = gst_structure_get_value(s, "angles");
    *n_angles = list && GST_VALUE_HOLDS_ARRAY(list) ? gst_value_array_get_size(list) : 0;
    auto *angles = g_new(gdouble, *n_angles);
    for (guint i = 0; i < *n_angles; i++) {
        // Applications may have filled in numbers of other types.
        GValue angle = G_VALUE_INIT;
        g_value_init(&angle, G_TYPE_DOUBLE);
        angles[i] = g_value_transform(gst_value_array_get_value(list, i), &angle) ? g_value_get_double(&angle)
                                                                                  : std::nan("");
        g_value_unset(&angle);
    }
    return angles;
}
