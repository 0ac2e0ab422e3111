// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define range_T tomo_sum

// The nearest of 256 values from the least to the largest one of the plane, which are `range`.
kernel void round_to_256(IN(in), IN(range), OUT(float, out)) {
    const ulong i = get_global_id(0) + (ulong)get_global_id(1) * get_global_size(0);
    const float low = tomo_total(AT(range, 2 * get_global_id(1))), high = tomo_total(AT(range, 2 * get_global_id(1) + 1));
    const float value = LOAD(in, i), step = (high - low) / 255.0f;
    AT(out, i) = step > 0.0f ? low + rint((value - low) / step) * step : value;
}

kernel void round_to_half(IN(in), OUT(half, out)) {
    const ulong i = get_global_id(0);
    vstore_half(LOAD(in, i), out_at + i, out_base);
}
