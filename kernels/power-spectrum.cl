// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void power_spectrum(IN(in), OUT(float, out)) {
    const ulong i = get_global_id(0);
    const float2 v = LOAD(in, i);
    AT(out, i) = dot(v, v);
}
