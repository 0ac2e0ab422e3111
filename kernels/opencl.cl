// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Kernels for tomoopencl, with the names and arguments of UFO's.

#ifndef SEARCH_RADIUS
#define SEARCH_RADIUS 10
#endif
#ifndef PATCH_RADIUS
#define PATCH_RADIUS 3
#endif
#ifndef SIGMA
#define SIGMA 12
#endif

#define PIXEL                                                                                                \
    ((get_global_id(2) * get_global_size(1) + get_global_id(1)) * get_global_size(0) + get_global_id(0))

// Non-local means of Buades, Coll, Morel (2005): the mean of the pixels around, weighted by exp(-SIGMA^2 d), d the mean
// squared difference of the patches around both pixels. Patches get smaller towards the edges.
kernel void nlm_noise_reduction(global const float *input, global float *output) {
    const int x = get_global_id(0), y = get_global_id(1), width = get_global_size(0), height = get_global_size(1);
    global const float *middle = input + PIXEL;
    const int r = min(PATCH_RADIUS, min(min(x, width - 1 - x), min(y, height - 1 - y)));
    float weights = 0.0f, sum = 0.0f;
    for (int j = max(y - SEARCH_RADIUS, r); j <= min(y + SEARCH_RADIUS, height - 1 - r); j++)
        for (int i = max(x - SEARCH_RADIUS, r); i <= min(x + SEARCH_RADIUS, width - 1 - r); i++) {
            float distance = 0.0f;
            for (int v = -r; v <= r; v++)
                for (int u = -r; u <= r; u++) {
                    const float d = middle[(long)v * width + u] - middle[(long)(j - y + v) * width + i - x + u];
                    distance += d * d;
                }
            const float weight = exp(-(float)(SIGMA) * (SIGMA) * distance / ((2 * r + 1) * (2 * r + 1)));
            weights += weight;
            sum += weight * middle[(long)(j - y) * width + i - x];
        }
    output[PIXEL] = sum / weights;
}

kernel void fix_nan_and_inf(global const float *input, global float *output) {
    output[PIXEL] = isfinite(input[PIXEL]) ? input[PIXEL] : 0.0f;
}

kernel void absorptivity(global const float *input, global float *output) { output[PIXEL] = -log(input[PIXEL]); }

kernel void diff(global const float *x, global const float *y, global float *output) {
    output[PIXEL] = x[PIXEL] - y[PIXEL];
}

kernel void add(global const float *x, global const float *y, global float *output) {
    output[PIXEL] = x[PIXEL] + y[PIXEL];
}

kernel void multiply(global const float *x, global const float *y, global float *output) {
    output[PIXEL] = x[PIXEL] * y[PIXEL];
}

kernel void divide(global const float *x, global const float *y, global float *output) {
    output[PIXEL] = x[PIXEL] / y[PIXEL];
}
