/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

G_BEGIN_DECLS

GST_TOMO_API GstElement *gst_tomo_make_task(const gchar *plugin, const gchar *name, GError **error);
GST_TOMO_API gchar **gst_tomo_list_tasks(void);
GST_TOMO_API gchar *gst_tomo_describe_task(const gchar *plugin, GError **error);
GST_TOMO_API gboolean gst_tomo_set_properties_from_json(GstElement *element, const gchar *json,
                                                        GError **error);
GST_TOMO_API gchar *gst_tomo_get_properties_as_json(GstElement *element, GError **error);

G_END_DECLS
