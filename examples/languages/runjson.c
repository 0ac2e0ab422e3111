/* gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cc runjson.c -o runjson $(pkg-config --cflags --libs gsttomo-1.0) && ./runjson FILE: runs a dataflow from a JSON file.
 */
#include <gst/tomo/gsttomo.h>

int main(int argc, char **argv) {
    gst_init(&argc, &argv);
    if (argc != 2) {
        g_printerr("usage: %s FILE\n", argv[0]);
        return 2;
    }
    GError *error = NULL;
    GstTomoGraph *graph = gst_tomo_graph_new_from_file(argv[1], &error);
    if (!graph || !gst_tomo_graph_run(graph, &error)) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    g_object_unref(graph);
    return 0;
}
