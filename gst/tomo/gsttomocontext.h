/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

G_BEGIN_DECLS

/**
 * GST_TOMO_CONTEXT_TYPE:
 *
 * Type of the #GstContext in which elements hand a #GstTomoContext to each other, in the field "context".
 */
#define GST_TOMO_CONTEXT_TYPE "gst.tomo.context"

typedef struct _GstTomoContextPrivate GstTomoContextPrivate;
typedef struct _GstTomoDevicePrivate GstTomoDevicePrivate;

#define GST_TYPE_TOMO_DEVICE (gst_tomo_device_get_type())
GST_TOMO_API G_DECLARE_FINAL_TYPE(GstTomoDevice, gst_tomo_device, GST, TOMO_DEVICE, GstObject)

#define GST_TYPE_TOMO_CONTEXT (gst_tomo_context_get_type())
GST_TOMO_API G_DECLARE_FINAL_TYPE(GstTomoContext, gst_tomo_context, GST, TOMO_CONTEXT, GstObject)

GST_TOMO_API GstTomoContext *gst_tomo_context_new(const gchar *device, GError **error);
GST_TOMO_API GstTomoContext *gst_tomo_context_new_limited(const gchar *device, guint64 memory_limit,
                                                          GError **error);
GST_TOMO_API GstTomoContext *gst_tomo_context_new_wrapped(guint64 cl_context, GError **error);
GST_TOMO_API guint64 gst_tomo_context_get_handle(GstTomoContext *context);
GST_TOMO_API guint gst_tomo_context_get_n_devices(GstTomoContext *context);
GST_TOMO_API GstTomoDevice *gst_tomo_context_get_device(GstTomoContext *context, guint n);
GST_TOMO_API GstTomoDevice *gst_tomo_context_get_default_device(GstTomoContext *context);
GST_TOMO_API GstContext *gst_tomo_context_to_context(GstTomoContext *context);
GST_TOMO_API GstTomoContext *gst_tomo_context_from_context(GstContext *context);

GST_TOMO_API const gchar *gst_tomo_device_get_name(GstTomoDevice *device);
GST_TOMO_API guint gst_tomo_device_get_index(GstTomoDevice *device);
GST_TOMO_API gboolean gst_tomo_device_is_cpu(GstTomoDevice *device);
GST_TOMO_API guint64 gst_tomo_device_get_handle(GstTomoDevice *device);
GST_TOMO_API guint64 gst_tomo_device_get_memory_in_use(GstTomoDevice *device);
GST_TOMO_API guint64 gst_tomo_device_get_memory_limit(GstTomoDevice *device);

G_END_DECLS
