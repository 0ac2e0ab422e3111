/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

G_BEGIN_DECLS

/**
 * GST_TOMO_GRAPH_ERROR:
 *
 * Domain of errors of #GstTomoGraph. Errors of a run that elements post keep their own domain.
 */
#define GST_TOMO_GRAPH_ERROR (gst_tomo_graph_error_quark())
GST_TOMO_API GQuark gst_tomo_graph_error_quark(void);

/**
 * GstTomoGraphError:
 * @GST_TOMO_GRAPH_ERROR_SYNTAX: a text is not JSON, does not follow the schema, or is not a launch line
 * @GST_TOMO_GRAPH_ERROR_NOT_FOUND: there is no such task, element, property or node
 * @GST_TOMO_GRAPH_ERROR_VALUE: a property does not take this value
 * @GST_TOMO_GRAPH_ERROR_STRUCTURE: nodes and edges do not form a dataflow
 * @GST_TOMO_GRAPH_ERROR_BUSY: the call is not possible while the graph runs, or only while it runs
 * @GST_TOMO_GRAPH_ERROR_ABORTED: the run was aborted
 *
 * Kinds of faults of a graph.
 */
typedef enum {
    GST_TOMO_GRAPH_ERROR_SYNTAX,
    GST_TOMO_GRAPH_ERROR_NOT_FOUND,
    GST_TOMO_GRAPH_ERROR_VALUE,
    GST_TOMO_GRAPH_ERROR_STRUCTURE,
    GST_TOMO_GRAPH_ERROR_BUSY,
    GST_TOMO_GRAPH_ERROR_ABORTED,
} GstTomoGraphError;

#define GST_TYPE_TOMO_GRAPH (gst_tomo_graph_get_type())
GST_TOMO_API G_DECLARE_FINAL_TYPE(GstTomoGraph, gst_tomo_graph, GST, TOMO_GRAPH, GObject)

GST_TOMO_API GstTomoGraph *gst_tomo_graph_new(void);
GST_TOMO_API GstTomoGraph *gst_tomo_graph_new_from_json(const gchar *json, GError **error);
GST_TOMO_API GstTomoGraph *gst_tomo_graph_new_from_file(const gchar *file, GError **error);
GST_TOMO_API GstTomoGraph *gst_tomo_graph_new_from_line(const gchar *line, GError **error);
GST_TOMO_API GstTomoGraph *gst_tomo_graph_new_from_words(const gchar *const *words, GError **error);
GST_TOMO_API GstTomoGraph *gst_tomo_graph_new_from_pipeline(GstElement *pipeline, GError **error);

GST_TOMO_API GstElement *gst_tomo_graph_add_node(GstTomoGraph *graph, const gchar *plugin, const gchar *name,
                                                 GError **error);
GST_TOMO_API gboolean gst_tomo_graph_add_element(GstTomoGraph *graph, GstElement *element, GError **error);
GST_TOMO_API gboolean gst_tomo_graph_connect_nodes(GstTomoGraph *graph, const gchar *from, const gchar *to,
                                                   guint input, GError **error);
GST_TOMO_API gboolean gst_tomo_graph_connect_elements(GstTomoGraph *graph, GstElement *from, GstElement *to,
                                                      guint input, GError **error);
GST_TOMO_API gboolean gst_tomo_graph_connect_output(GstTomoGraph *graph, const gchar *from,
                                                    const gchar *output, const gchar *to, guint input,
                                                    GError **error);
GST_TOMO_API gboolean gst_tomo_graph_bind(GstTomoGraph *graph, const gchar *from, const gchar *result,
                                          const gchar *to, const gchar *property, GError **error);
GST_TOMO_API gchar **gst_tomo_graph_list_nodes(GstTomoGraph *graph);
GST_TOMO_API GstElement *gst_tomo_graph_get_node(GstTomoGraph *graph, const gchar *name);
GST_TOMO_API GstElement *gst_tomo_graph_get_pipeline(GstTomoGraph *graph, GError **error);
GST_TOMO_API gchar *gst_tomo_graph_to_json(GstTomoGraph *graph, GError **error);
GST_TOMO_API gboolean gst_tomo_graph_write_json(GstTomoGraph *graph, const gchar *file, GError **error);

GST_TOMO_API gboolean gst_tomo_graph_run(GstTomoGraph *graph, GError **error);
GST_TOMO_API gboolean gst_tomo_graph_start(GstTomoGraph *graph, GError **error);
GST_TOMO_API gboolean gst_tomo_graph_wait(GstTomoGraph *graph, GError **error);
GST_TOMO_API gboolean gst_tomo_graph_poll(GstTomoGraph *graph, guint milliseconds);
GST_TOMO_API gboolean gst_tomo_graph_is_running(GstTomoGraph *graph);
GST_TOMO_API void gst_tomo_graph_finish(GstTomoGraph *graph);
GST_TOMO_API void gst_tomo_graph_abort(GstTomoGraph *graph);
GST_TOMO_API void gst_tomo_graph_pause(GstTomoGraph *graph);
GST_TOMO_API void gst_tomo_graph_unpause(GstTomoGraph *graph);
GST_TOMO_API gboolean gst_tomo_graph_sync(GstTomoGraph *graph);
GST_TOMO_API GVariant *gst_tomo_graph_get_device_arrays(GstTomoGraph *graph);

GST_TOMO_API gchar *gst_tomo_describe_pipeline(GstElement *pipeline, GError **error);

G_END_DECLS
