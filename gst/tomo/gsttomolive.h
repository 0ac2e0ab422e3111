/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

G_BEGIN_DECLS

#define GST_TYPE_TOMO_LIVE (gst_tomo_live_get_type())
GST_TOMO_API G_DECLARE_FINAL_TYPE(GstTomoLive, gst_tomo_live, GST, TOMO_LIVE, GObject)

GST_TOMO_API GstTomoLive *gst_tomo_live_new(const gchar *source);

GST_TOMO_API gchar *gst_tomo_live_get_schema(void);
GST_TOMO_API gboolean gst_tomo_live_set_parameter(GstTomoLive *live, const gchar *name, const gchar *value,
                                                  GError **error);
GST_TOMO_API gboolean gst_tomo_live_set_parameters(GstTomoLive *live, const gchar *json, GError **error);
GST_TOMO_API gchar *gst_tomo_live_get_parameters(GstTomoLive *live);

GST_TOMO_API gboolean gst_tomo_live_start(GstTomoLive *live, GError **error);
GST_TOMO_API void gst_tomo_live_stop(GstTomoLive *live);
GST_TOMO_API gboolean gst_tomo_live_wait(GstTomoLive *live, GError **error);
GST_TOMO_API gboolean gst_tomo_live_poll(GstTomoLive *live, guint milliseconds);
GST_TOMO_API gboolean gst_tomo_live_is_running(GstTomoLive *live);
GST_TOMO_API gboolean gst_tomo_live_pause(GstTomoLive *live, GError **error);
GST_TOMO_API gboolean gst_tomo_live_unpause(GstTomoLive *live, GError **error);

GST_TOMO_API gchar **gst_tomo_live_get_planes(GstTomoLive *live);
GST_TOMO_API gboolean gst_tomo_live_set_plane(GstTomoLive *live, guint index, const gchar *plane,
                                              GError **error);
GST_TOMO_API gboolean gst_tomo_live_add_plane(GstTomoLive *live, const gchar *plane, GError **error);
GST_TOMO_API gboolean gst_tomo_live_remove_plane(GstTomoLive *live, guint index, GError **error);

GST_TOMO_API gboolean gst_tomo_live_take_darks(GstTomoLive *live, guint count, GError **error);
GST_TOMO_API gboolean gst_tomo_live_take_flats(GstTomoLive *live, guint count, GError **error);
GST_TOMO_API gboolean gst_tomo_live_cancel_fields(GstTomoLive *live, GError **error);
GST_TOMO_API gboolean gst_tomo_live_keep(GstTomoLive *live, gdouble seconds, const gchar *path,
                                         GError **error);
GST_TOMO_API gboolean gst_tomo_live_stop_keeping(GstTomoLive *live, GError **error);
GST_TOMO_API gboolean gst_tomo_live_request_volume(GstTomoLive *live, GError **error);
GST_TOMO_API gboolean gst_tomo_live_write_volume(GstTomoLive *live, const gchar *path, GError **error);
GST_TOMO_API gboolean gst_tomo_live_command(GstTomoLive *live, const gchar *command, GError **error);

GST_TOMO_API GstSample *gst_tomo_live_get_slice(GstTomoLive *live, guint index);
GST_TOMO_API GstSample *gst_tomo_live_get_volume(GstTomoLive *live);
GST_TOMO_API GstSample *gst_tomo_live_get_frame(GstTomoLive *live);
GST_TOMO_API GstElement *gst_tomo_live_get_element(GstTomoLive *live, const gchar *name);
GST_TOMO_API gchar *gst_tomo_live_get_statistics(GstTomoLive *live);

G_END_DECLS
