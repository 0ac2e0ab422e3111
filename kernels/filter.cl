// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define response_T float2

// Every row by the same complex response.
kernel void multiply_rows(IN(in), IN(response), OUT(float2, out)) {
    const uint x = get_global_id(0);
    const ulong at =
        tomo_index(x, get_global_id(1), get_global_id(2), get_global_size(0), get_global_size(1));
    const float2 v = LOAD(in, at), h = LOAD(response, x);
    AT(out, at) = (float2)(v.x * h.x - v.y * h.y, v.x * h.y + v.y * h.x);
}
