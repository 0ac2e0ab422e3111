// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// In groups of any size.
kernel void as_floats(IN(in), OUT(float, out), const uint rows) {
    const uint i = get_global_id(0);
    if (i < rows)
        AT(out, i) = LOAD(in, i);
}
