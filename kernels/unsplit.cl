// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void unsplit(IN(in), OUT(in_T, out), const uint depth) {
    const uint column = get_global_id(0), y = get_global_id(1);
    const uint width = get_global_size(0), height = get_global_size(1);
    AT(out, tomo_index(column, y, 0, width, height)) =
        AT(in, tomo_index(column / depth, y, column % depth, width / depth, height));
}
