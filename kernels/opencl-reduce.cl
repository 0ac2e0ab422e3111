// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Kernels for tomoopenclreduce, with the names and arguments of UFO's.

#define PIXEL                                                                                                \
    ((get_global_id(2) * get_global_size(1) + get_global_id(1)) * get_global_size(0) + get_global_id(0))

kernel void minimum(global const float *input, global float *output) {
    const float v = input[PIXEL];
    if (v < output[PIXEL] || isnan(v))
        output[PIXEL] = v;
}

kernel void maximum(global const float *input, global float *output) {
    const float v = input[PIXEL];
    if (v > output[PIXEL] || isnan(v))
        output[PIXEL] = v;
}

kernel void sum(global const float *input, global float *output) { output[PIXEL] += input[PIXEL]; }

// To finish with.
kernel void divide(global float *output, const uint count) { output[PIXEL] /= count; }
