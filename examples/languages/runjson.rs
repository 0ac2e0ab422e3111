// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// rustc runjson.rs $(pkg-config --libs-only-L --libs-only-l gsttomo-1.0) && ./runjson FILE: runs a dataflow from a JSON file.
use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_void};
use std::process::exit;
use std::ptr::null_mut;

#[repr(C)]
struct GError {
    domain: u32,
    code: c_int,
    message: *const c_char,
}

extern "C" {
    fn gst_init(count: *mut c_int, words: *mut *mut *mut c_char);
    fn gst_tomo_graph_new_from_file(file: *const c_char, error: *mut *mut GError) -> *mut c_void;
    fn gst_tomo_graph_run(graph: *mut c_void, error: *mut *mut GError) -> c_int;
    fn g_object_unref(object: *mut c_void);
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if words.len() != 2 {
        eprintln!("usage: runjson FILE");
        exit(2);
    }
    let file = CString::new(words[1].as_str()).expect("a name has no NUL");
    let mut error: *mut GError = null_mut();
    unsafe {
        gst_init(null_mut(), null_mut());
        let graph = gst_tomo_graph_new_from_file(file.as_ptr(), &mut error);
        if graph.is_null() || gst_tomo_graph_run(graph, &mut error) == 0 {
            eprintln!("{}", CStr::from_ptr((*error).message).to_string_lossy());
            exit(1);
        }
        g_object_unref(graph);
    }
}
