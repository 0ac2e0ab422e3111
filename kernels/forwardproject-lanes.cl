// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projection on CPUs: a sample of LANES slices is one vector, and a work-item follows COLUMNS neighbouring rays. Kernels
// project one set of LANES slices.
#include "forwardproject-rays.h"

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
typedef CAT(float, LANES) lanes;

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

#define COLUMNS 8
#define LINES 16 // at a time

kernel void forwardproject_lanes(global const lanes *restrict direct, global const lanes *restrict turned, OUT(float, out),
                                 global const Rays *restrict angles, const uint width, const uint height,
                                 const uint columns, const uint number, const uint depth, const uint set) {
    const uint first_column = get_global_id(0) * COLUMNS, angle = get_global_id(1);
    const Rays rays = angles[angle];
    const int lines = rays.is_turned ? width : height, length = rays.is_turned ? height : width;
    const ulong pitch = length + 2 * MARGIN;
    global const lanes *slice = (rays.is_turned ? turned : direct) + MARGIN;

    const long start = rays.start + first_column * rays.per_column;
    const int2 of_first = lines_inside(&rays, start, lines, length);
    const int2 of_last = lines_inside(&rays, start + (COLUMNS - 1) * rays.per_column, lines, length);
    const int end = max(of_first.y, of_last.y);

    const float8 ways = (float8)(0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f) * (rays.per_column * 0x1p-32f);
    lanes sums[COLUMNS];
    for (int n = 0; n < COLUMNS; n++)
        sums[n] = (lanes)(0.0f);
    for (int first = min(of_first.x, of_last.x); first < end; first += LINES) {
        // The numbers go through memory, from which one of them is spread to all lanes as it is loaded.
        int8 indices[LINES];
        float8 fractions[LINES];
        for (int i = 0; i < LINES; i++) {
            const long at = start + (first + i) * rays.per_line;
            const float8 position = (uint)at * 0x1p-32f + ways, below = floor(position);
            fractions[i] = position - below;
            const int8 index = clamp(convert_int8(below) + (int)(at >> 32), -MARGIN, length);
            indices[i] = first + i < lines ? index : (int8)(-MARGIN);
        }
#pragma unroll 1
        for (int n = 0; n < COLUMNS; n++) {
            lanes total[2] = {(lanes)(0.0f), (lanes)(0.0f)};
#pragma unroll
            for (int i = 0; i < LINES; i++) {
                global const lanes *sample = slice + min(first + i, lines - 1) * pitch + ((const int *)&indices[i])[n];
                const float fraction = ((const float *)&fractions[i])[n];
                total[i % 2] += sample[0] * (1.0f - fraction);
                total[i % 2] += sample[1] * fraction;
            }
            sums[n] += total[0] + total[1];
        }
    }
    const uint planes = min(depth - set * LANES, (uint)LANES);
    for (uint n = 0; n < min(columns - first_column, (uint)COLUMNS); n++)
        for (uint s = 0; s < planes; s++)
            AT(out, tomo_index(first_column + n, angle, set * LANES + s, columns, number)) =
                ((const float *)&sums[n])[s] * rays.weight;
}
