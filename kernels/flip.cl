// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void flip(IN(in), OUT(in_T, out), const int vertical) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const uint from_i = vertical ? i : width - 1 - i, from_j = vertical ? height - 1 - j : j;
    AT(out, tomo_index(i, j, z, width, height)) = AT(in, tomo_index(from_i, from_j, z, width, height));
}
