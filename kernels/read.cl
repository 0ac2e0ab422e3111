// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void to_float(IN(in), OUT(float, out)) {
    const ulong i = get_global_id(0);
    AT(out, i) = LOAD(in, i);
}
