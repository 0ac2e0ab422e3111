// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projection on CPUs. Kernels project one set of LANES slices.
#include "forwardproject-rays.h"

// Slices side by side. A work-item makes BLOCK samples of a line.
#define BLOCK 16
kernel void pack_slices(IN(slices), global float *restrict direct, const uint width, const uint height, const uint depth,
                        const uint set) {
    const int first = (int)(get_global_id(0) * BLOCK) - MARGIN;
    const uint y = get_global_id(1);
    const int planes = min(depth - set * LANES, (uint)LANES);
    const int begin = clamp(-first, 0, BLOCK), end = clamp((int)width - first, begin, BLOCK);
    float samples[BLOCK][LANES];
    for (int x = 0; x < BLOCK; x++)
        for (int n = 0; n < LANES; n++)
            samples[x][n] = 0.0f;
    for (int n = 0; n < planes; n++) {
        const ulong row = ((ulong)(set * LANES + n) * height + y) * width + first;
        for (int x = begin; x < end; x++)
            samples[x][n] = LOAD(slices, row + x);
    }
    const uint pitch = width + 2 * MARGIN, columns = min(pitch - (uint)(first + MARGIN), (uint)BLOCK);
    direct += ((ulong)y * pitch + first + MARGIN) * LANES;
    for (uint x = 0; x < columns; x++)
        for (int n = 0; n < LANES; n++)
            direct[x * LANES + n] = samples[x][n];
}

// The transposed copy. Global size: lines with their margins, width.
kernel void turn_lanes(global const lanes *restrict direct, global lanes *restrict turned, const uint width,
                       const uint height) {
    const uint line = get_global_id(0), x = get_global_id(1), y = line - MARGIN;
    const uint pitch = width + 2 * MARGIN;
    turned[(ulong)x * get_global_size(0) + line] = y < height ? direct[(ulong)y * pitch + x + MARGIN] : (lanes)(0.0f);
}

kernel void forwardproject_lanes(global const lanes *restrict direct, global const lanes *restrict turned, OUT(float, out),
                                 global const Rays *restrict angles, const uint width, const uint height,
                                 const uint columns, const uint number, const uint depth, const uint set) {
    const uint first_column = get_global_id(0) * COLUMNS, angle = get_global_id(1);
    const Rays rays = angles[angle];
    const int lines = rays.is_turned ? width : height, length = rays.is_turned ? height : width;
    const ulong pitch = length + 2 * MARGIN;
    global const lanes *slice = (rays.is_turned ? turned : direct) + MARGIN;

    lanes sums[COLUMNS];
    follow_rays(&rays, first_column, lines, length, slice, pitch, 1, sums);
    const uint planes = min(depth - set * LANES, (uint)LANES);
    for (uint n = 0; n < min(columns - first_column, (uint)COLUMNS); n++)
        for (uint s = 0; s < planes; s++)
            AT(out, tomo_index(first_column + n, angle, set * LANES + s, columns, number)) =
                ((const float *)&sums[n])[s] * rays.weight;
}
