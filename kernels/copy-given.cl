// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Slices that iterations begin with, or a mask of 0 and 1. Global size: that of `out`.
kernel void copy_given(IN(given), OUT(float, out), const uint is_mask) {
    const ulong i = tomo_index(get_global_id(0), get_global_id(1), get_global_id(2), get_global_size(0), get_global_size(1));
    const float value = LOAD(given, i);
    AT(out, i) = is_mask ? value != 0.0f : value;
}
