// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void fftmult(IN(in0), IN(in1), OUT(float2, out)) {
    const ulong i = get_global_id(0);
    const float2 a = LOAD(in0, i), b = LOAD(in1, i);
    AT(out, i) = (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
