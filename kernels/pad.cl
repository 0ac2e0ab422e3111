// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void pad(IN(in), OUT(in_T, out), const int width, const int height, const int x, const int y) {
    const uint column = get_global_id(0), row = get_global_id(1), z = get_global_id(2);
    const int i = tomo_address((int)column + x, width, ADDRESSING);
    const int j = tomo_address((int)row + y, height, ADDRESSING);
    AT(out, tomo_index(column, row, z, get_global_size(0), get_global_size(1))) =
        i >= 0 && j >= 0 ? AT(in, tomo_index(i, j, z, width, height)) : (in_T)(0);
}
