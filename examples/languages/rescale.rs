// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// rustc rescale.rs $(pkg-config --libs-only-L --libs-only-l gsttomo-1.0) && ./rescale: scales the images in sinograms/ down into
// output.h5, and tells how far it is.
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_uint, c_ulong, c_void};
use std::process::exit;
use std::ptr::{null, null_mut};

#[repr(C)]
struct GError {
    domain: u32,
    code: c_int,
    message: *const c_char,
}

type Object = *mut c_void;
type OnProgress = extern "C" fn(graph: Object, position: u64, duration: u64, output: u64, data: *mut c_void);

extern "C" {
    fn gst_init(count: *mut c_int, words: *mut *mut *mut c_char);
    fn gst_tomo_graph_new() -> Object;
    fn gst_tomo_graph_add_node(graph: Object, task: *const c_char, name: *const c_char, error: *mut *mut GError) -> Object;
    fn gst_tomo_graph_connect_elements(graph: Object, from: Object, to: Object, input: c_uint, error: *mut *mut GError) -> c_int;
    fn gst_tomo_graph_run(graph: Object, error: *mut *mut GError) -> c_int;
    fn gst_util_set_object_arg(object: Object, property: *const c_char, value: *const c_char);
    fn g_signal_connect_data(object: Object, signal: *const c_char, handler: OnProgress, data: *mut c_void,
                             destroy: *const c_void, flags: c_int) -> c_ulong;
    fn g_object_unref(object: Object);
}

extern "C" fn on_progress(_: Object, _: u64, duration: u64, output: u64, _: *mut c_void) {
    println!("{output} of {duration}");
}

fn text(words: &str) -> CString {
    CString::new(words).expect("words without NUL")
}

// Ends the program with the message of the library, unless this went well.
fn check(went_well: bool, error: *mut GError) {
    if !went_well {
        eprintln!("{}", unsafe { CStr::from_ptr((*error).message) }.to_string_lossy());
        exit(1);
    }
}

fn main() {
    let mut error: *mut GError = null_mut();
    unsafe {
        gst_init(null_mut(), null_mut());
        let graph = gst_tomo_graph_new();
        let mut add = |task, property, value| {
            let node = gst_tomo_graph_add_node(graph, text(task).as_ptr(), null(), &mut error);
            check(!node.is_null(), error);
            gst_util_set_object_arg(node, text(property).as_ptr(), text(value).as_ptr());
            node
        };
        let nodes = [
            add("read", "path", "sinograms/*.tif"),
            add("rescale", "factor", "0.5"),
            add("write", "filename", "output.h5:/raw"),
        ];
        for pair in nodes.windows(2) {
            check(gst_tomo_graph_connect_elements(graph, pair[0], pair[1], 0, &mut error) != 0, error);
        }
        g_signal_connect_data(graph, text("progress").as_ptr(), on_progress, null_mut(), null(), 0);
        check(gst_tomo_graph_run(graph, &mut error) != 0, error);
        g_object_unref(graph);
    }
}
