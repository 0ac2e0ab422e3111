// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void stamp(IN(in), OUT(float, out), global const float *restrict ink, const uint width, const uint height,
                  const float scale) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const ulong at = tomo_index(i, j, z, get_global_size(0), get_global_size(1));
    AT(out, at) = LOAD(in, at) + (i < width && j < height ? ink[j * width + i] * scale : 0.0f);
}
