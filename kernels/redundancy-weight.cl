// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// A factor for each column.
kernel void weight_columns(IN(in), OUT(float, out), global const float *restrict factors) {
    const uint column = get_global_id(0), row = get_global_id(1);
    const ulong at = tomo_index(column, row, 0, get_global_size(0), 0);
    AT(out, at) = LOAD(in, at) * factors[column];
}
