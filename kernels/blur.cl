// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// One pass of a separable filter: `weights` by distance, `sample` of position i, `at` the pixel's position of
// `size` along the axis. Weights outside of the image are left out of the sum that the result is divided by.
#define BLURRED(result, at, size, sample)                                                                    \
    float sum = 0.0f, weight = 0.0f;                                                                         \
    for (int i = max(0, at - radius); i <= min(size - 1, at + radius); i++) {                                \
        const float w = weights[abs(i - at)];                                                                \
        sum = fma(w, sample, sum);                                                                           \
        weight += w;                                                                                         \
    }                                                                                                        \
    result = sum / weight

kernel void blur_rows(IN(in), OUT(float, out), global const float *restrict weights, const int radius) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int width = get_global_size(0), height = get_global_size(1);
    const ulong row = tomo_index(0, y, z, width, height);
    BLURRED(AT(out, row + x), x, width, LOAD(in, row + i));
}

kernel void blur_columns(global const float *restrict in_base, const ulong in_at, OUT(float, out),
                         global const float *restrict weights, const int radius) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int width = get_global_size(0), height = get_global_size(1);
    const ulong column = tomo_index(x, 0, z, width, height);
    BLURRED(AT(out, column + (ulong)y * width), y, height, AT(in, column + (ulong)i * width));
}
