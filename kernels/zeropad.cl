// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The columns from `first` on come first, those before it last.
kernel void zeropad(IN(in), OUT(float2, out), const uint width, const uint first) {
    const uint column = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint out_width = get_global_size(0), out_height = get_global_size(1);
    const uint after = first + column, before = out_width - column; // columns right of the axis' or left of it
    float value = 0.0f;
    if (after < width)
        value = LOAD(in, tomo_index(after, y, z, width, out_height));
    else if (before <= first)
        value = LOAD(in, tomo_index(first - before, y, z, width, out_height));
    AT(out, tomo_index(column, y, z, out_width, out_height)) = (float2)(value, 0.0f);
}
