// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void clip(IN(in), OUT(float, out), const float low, const float high) {
    const ulong i = get_global_id(0);
    const float v = LOAD(in, i);
    AT(out, i) = v < low ? low : v > high ? high : v; // NaN is neither
}
