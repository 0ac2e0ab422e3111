// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// go run rescale.go: scales the images in sinograms/ down into output.h5, and tells how far it is.
package main

// #cgo pkg-config: gsttomo-1.0
// #include <stdlib.h>
// #include <gst/tomo/gsttomo.h>
//
// extern void onProgress(GstTomoGraph *graph, guint64 position, guint64 duration, guint64 output, gpointer data);
//
// static void listen(GstTomoGraph *graph) { g_signal_connect(graph, "progress", G_CALLBACK(onProgress), NULL); }
// static void set(GstElement *node, const char *property, const char *value) {
//     gst_util_set_object_arg(G_OBJECT(node), property, value);
// }
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

//export onProgress
func onProgress(graph *C.GstTomoGraph, position, duration, output C.guint64, data C.gpointer) {
	fmt.Println(output, "of", duration)
}

func must(isGood bool, problem *C.GError) {
	if !isGood {
		fmt.Fprintln(os.Stderr, C.GoString(problem.message))
		os.Exit(1)
	}
}

func add(graph *C.GstTomoGraph, task, property, value string) *C.GstElement {
	texts := [3]*C.char{C.CString(task), C.CString(property), C.CString(value)}
	var problem *C.GError
	node := C.gst_tomo_graph_add_node(graph, texts[0], nil, &problem)
	must(node != nil, problem)
	C.set(node, texts[1], texts[2])
	for _, text := range texts {
		C.free(unsafe.Pointer(text))
	}
	return node
}

func main() {
	C.gst_init(nil, nil)
	graph := C.gst_tomo_graph_new()
	read := add(graph, "read", "path", "sinograms/*.tif")
	rescale := add(graph, "rescale", "factor", "0.5")
	write := add(graph, "write", "filename", "output.h5:/raw")
	var problem *C.GError
	must(C.gst_tomo_graph_connect_elements(graph, read, rescale, 0, &problem) != 0, problem)
	must(C.gst_tomo_graph_connect_elements(graph, rescale, write, 0, &problem) != 0, problem)
	C.listen(graph)
	must(C.gst_tomo_graph_run(graph, &problem) != 0, problem)
	C.g_object_unref(C.gpointer(graph))
}
