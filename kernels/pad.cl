// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// MODE as in the element: 1 clamp, 2 clamp_to_edge, 3 repeat, 4 mirrored_repeat.

// Index of the input that stands at i, out of 0 .. n - 1 where nothing does.
static int source(const int i, const int n) {
#if MODE == 2
    return clamp(i, 0, n - 1);
#elif MODE == 3
    const int m = i % n; // the remainder has the sign of i
    return m < 0 ? m + n : m;
#elif MODE == 4
    const uint period = 2u * (uint)n;
    const uint m = i < 0 ? period - 1 - (uint)(-(i + 1)) % period : (uint)i % period;
    return m < (uint)n ? m : period - 1 - m;
#else
    return i;
#endif
}

kernel void pad(IN(in), OUT(in_T, out), const int width, const int height, const int x, const int y) {
    const uint column = get_global_id(0), row = get_global_id(1), z = get_global_id(2);
    const int i = source((int)column + x, width), j = source((int)row + y, height);
    const bool inside = i >= 0 && i < width && j >= 0 && j < height;
    AT(out, tomo_index(column, row, z, get_global_size(0), get_global_size(1))) =
        inside ? AT(in, tomo_index(i, j, z, width, height)) : (in_T)(0);
}
