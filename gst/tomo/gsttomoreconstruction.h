/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

G_BEGIN_DECLS

#define GST_TYPE_TOMO_RECONSTRUCTION (gst_tomo_reconstruction_get_type())
GST_TOMO_API G_DECLARE_FINAL_TYPE(GstTomoReconstruction, gst_tomo_reconstruction, GST, TOMO_RECONSTRUCTION,
                                  GObject)

GST_TOMO_API GstTomoReconstruction *gst_tomo_reconstruction_new(const gchar *scan);

GST_TOMO_API gchar *gst_tomo_reconstruction_get_schema(void);
GST_TOMO_API gboolean gst_tomo_reconstruction_set_parameter(GstTomoReconstruction *reconstruction,
                                                            const gchar *name, const gchar *value,
                                                            GError **error);
GST_TOMO_API gboolean gst_tomo_reconstruction_set_parameters(GstTomoReconstruction *reconstruction,
                                                             const gchar *json, GError **error);
GST_TOMO_API gchar *gst_tomo_reconstruction_get_parameters(GstTomoReconstruction *reconstruction);
GST_TOMO_API gboolean gst_tomo_reconstruction_load_configuration(GstTomoReconstruction *reconstruction,
                                                                 const gchar *file, GError **error);
GST_TOMO_API gchar *gst_tomo_reconstruction_get_configuration(GstTomoReconstruction *reconstruction);
GST_TOMO_API gboolean gst_tomo_reconstruction_save_configuration(GstTomoReconstruction *reconstruction,
                                                                 const gchar *file, GError **error);

GST_TOMO_API gboolean gst_tomo_reconstruction_set_memory(GstTomoReconstruction *reconstruction,
                                                         const gchar *parameter, GstSample *array,
                                                         GError **error);
GST_TOMO_API GstSample *gst_tomo_reconstruction_take_result(GstTomoReconstruction *reconstruction);
GST_TOMO_API GstSample *gst_tomo_reconstruction_get_preview(GstTomoReconstruction *reconstruction);

GST_TOMO_API gchar *gst_tomo_reconstruction_inspect(GstTomoReconstruction *reconstruction, GError **error);
GST_TOMO_API gchar *gst_tomo_reconstruction_estimate_axis(GstTomoReconstruction *reconstruction,
                                                          GError **error);
GST_TOMO_API gchar *gst_tomo_reconstruction_plan(GstTomoReconstruction *reconstruction, GError **error);

GST_TOMO_API gboolean gst_tomo_reconstruction_run(GstTomoReconstruction *reconstruction, GError **error);
GST_TOMO_API gboolean gst_tomo_reconstruction_start(GstTomoReconstruction *reconstruction, GError **error);
GST_TOMO_API gboolean gst_tomo_reconstruction_wait(GstTomoReconstruction *reconstruction, GError **error);
GST_TOMO_API gboolean gst_tomo_reconstruction_poll(GstTomoReconstruction *reconstruction, guint milliseconds);
GST_TOMO_API gboolean gst_tomo_reconstruction_is_running(GstTomoReconstruction *reconstruction);
GST_TOMO_API void gst_tomo_reconstruction_finish(GstTomoReconstruction *reconstruction);
GST_TOMO_API void gst_tomo_reconstruction_abort(GstTomoReconstruction *reconstruction);
GST_TOMO_API void gst_tomo_reconstruction_pause(GstTomoReconstruction *reconstruction);
GST_TOMO_API void gst_tomo_reconstruction_unpause(GstTomoReconstruction *reconstruction);
GST_TOMO_API void gst_tomo_reconstruction_request_preview(GstTomoReconstruction *reconstruction,
                                                          const gchar *path);
GST_TOMO_API void gst_tomo_reconstruction_command(GstTomoReconstruction *reconstruction,
                                                  const gchar *command);

G_END_DECLS
