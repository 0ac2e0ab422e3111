// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void swap_quadrants(IN(in), OUT(in_T, out)) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const uint from_x = (x + (width - width / 2)) % width, from_y = (y + (height - height / 2)) % height;
    AT(out, tomo_index(x, y, z, width, height)) = AT(in, tomo_index(from_x, from_y, z, width, height));
}
