/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc rescale.c -o rescale $(pkg-config --cflags --libs gsttomo-1.0) && ./rescale: scales the images in sinograms/ down into
 * output.h5, and tells how far it is.
 */
#include <gst/tomo/gsttomo.h>

static void on_progress(GstTomoGraph *graph, guint64 position, guint64 duration, guint64 output, gpointer data) {
    (void)graph, (void)position, (void)data;
    g_print("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "\n", output, duration);
}

int main(int argc, char **argv) {
    gst_init(&argc, &argv);
    GError *error = NULL;
    GstTomoGraph *graph = gst_tomo_graph_new();
    GstElement *read = gst_tomo_graph_add_node(graph, "read", NULL, &error);
    GstElement *rescale = read ? gst_tomo_graph_add_node(graph, "rescale", NULL, &error) : NULL;
    GstElement *write = rescale ? gst_tomo_graph_add_node(graph, "write", NULL, &error) : NULL;
    if (write) {
        g_object_set(read, "path", "sinograms/*.tif", NULL);
        g_object_set(rescale, "factor", 0.5, NULL);
        g_object_set(write, "filename", "output.h5:/raw", NULL);
        g_signal_connect(graph, "progress", G_CALLBACK(on_progress), NULL);
    }
    if (!write || !gst_tomo_graph_connect_elements(graph, read, rescale, 0, &error) ||
        !gst_tomo_graph_connect_elements(graph, rescale, write, 0, &error) || !gst_tomo_graph_run(graph, &error)) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    g_object_unref(graph);
    return 0;
}
