// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void padded(IN(in), OUT(float, out), const int left, const int top, const int width, const int height) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int i = tomo_address(x - left, width, ADDRESSING), j = tomo_address(y - top, height, ADDRESSING);
    AT(out, tomo_index(x, y, z, get_global_size(0), get_global_size(1))) =
        i >= 0 && j >= 0 ? LOAD(in, tomo_index(i, j, z, width, height)) : ADDRESSING == 0 ? NAN : 0.0f;
}
