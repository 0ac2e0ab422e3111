// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// go run runjson.go FILE: runs a dataflow from a JSON file.
package main

// #cgo pkg-config: gsttomo-1.0
// #include <stdlib.h>
// #include <gst/tomo/gsttomo.h>
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: runjson FILE")
		os.Exit(2)
	}
	C.gst_init(nil, nil)
	file := C.CString(os.Args[1])
	defer C.free(unsafe.Pointer(file))
	var problem *C.GError
	graph := C.gst_tomo_graph_new_from_file(file, &problem)
	if graph == nil || C.gst_tomo_graph_run(graph, &problem) == 0 {
		fmt.Fprintln(os.Stderr, C.GoString(problem.message))
		os.Exit(1)
	}
	C.g_object_unref(C.gpointer(graph))
}
