// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// `shrink` is one over the magnification. Rows are counted from `first_row` on.
kernel void weight_projection(IN(in), OUT(float, out), const float center_x, const float center_y,
                              const float factor, const float distance, const float shrink, const uint first_row) {
    const uint column = get_global_id(0), row = get_global_id(1);
    const ulong at = tomo_index(column, row, 0, get_global_size(0), 0);
    const float x = (column + 0.5f - center_x) * shrink, y = (row + first_row + 0.5f - center_y) * shrink;
    AT(out, at) = LOAD(in, at) * factor / sqrt(distance * distance + x * x + y * y);
}
