// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A sweep on CPUs: a pixel of a set is one vector.
#include "backproject-row.h"
#include "forwardproject-rays.h"
#include "sweep.h"

// Global size: blocks of COLUMNS, which are eight; sets. `squares` gets the part of |b - A x|^2 of each slice, view and block.
kernel void sweep_rays(global const lanes *restrict sets, global const float *restrict measured,
                       global const float *restrict ray_sums, global lanes *restrict q, global float *restrict squares,
                       global const Rays *restrict angles, SHAPE) {
    const uint block = get_global_id(0), blocks = get_global_size(0), set = get_global_id(1), first_column = block * COLUMNS;
    const Rays rays = angles[view];
    const int lines = rays.is_turned ? width : height, length = rays.is_turned ? height : width;
    const long to_line = rays.is_turned ? 1 : PITCH(width), to_next = rays.is_turned ? PITCH(width) : 1;
    global const lanes *slice = sets + FIRST_PIXEL(set, width, height);

    lanes sums[COLUMNS];
    follow_rays(&rays, first_column, lines, length, slice, to_line, to_next, sums);

    q += set * (ulong)PITCH(columns) + MARGIN;
    const uint planes = min(depth - set * LANES, (uint)LANES), here = min(columns - first_column, (uint)COLUMNS);
    for (uint s = 0; s < planes; s++) {
        const ulong plane = set * LANES + s;
        float square = 0.0f;
        for (uint n = 0; n < here; n++) {
            const ulong ray = view * (ulong)columns + first_column + n;
            const float along = ray_sums[ray];
            const float difference =
                measured[plane * views * columns + ray] - ((const float *)&sums[n])[s] * rays.weight;
            square += difference * difference;
            ((global float *)&q[first_column + n])[s] = along > 0.0f ? difference / along : 0.0f;
        }
        squares[(plane * views + view) * blocks + block] = square;
    }
}

// Global size: rows, sets. A slice that is done stays as it is; `planes` make a volume.
kernel void sweep_pixels(global lanes *sets, global const lanes *masks, global const lanes *restrict q, global const Row *restrict rows,
                         global const uint *is_done, const uint planes, const float relaxation, const float minimum,
                         const float maximum, SHAPE) {
    const uint y = get_global_id(0), set = get_global_id(1);
    const Row row = rows[view];
    lanes relaxations = (lanes)(relaxation);
    for (uint s = 0; s < min(depth - set * LANES, (uint)LANES); s++)
        if (is_done[(set * LANES + s) / planes])
            ((float *)&relaxations)[s] = 0.0f;
    global lanes *pixels = sets + FIRST_PIXEL(set, width, height) + (ulong)y * PITCH(width);
    masks += pixels - sets;
    q += set * (ulong)PITCH(columns) + MARGIN;
    const float narrowing = 1.0f / fmax(fabs(row.cosine), fabs(row.sine));
    const float8 ways = EIGHT * row.cosine;
    for (uint x = 0; x < width; x += 8) {
        const long at = row.origin + x * row.step_x + y * row.step_y;
        const float8 position = (uint)at * 0x1p-32f + ways, below = floor(position), fractions = position - below;
        const int8 index = convert_int8(below) + (int)clamp(at >> 32, -(long)(1 << 30), (long)(1 << 30));
        // Samples outside of the detector do not count.
        const float8 nearest = fmax(1.0f - fractions * narrowing, 0.0f),
                     next = fmax(1.0f - (1.0f - fractions) * narrowing, 0.0f);
        const float8 left = (index >= 0 && index < (int)columns) ? nearest : (float8)(0.0f),
                     right = (index >= -1 && index < (int)columns - 1) ? next : (float8)(0.0f), sum = left + right;
        const float8 lefts = sum > 0.0f ? left / sum : (float8)(0.0f), rights = sum > 0.0f ? right / sum : (float8)(0.0f);
        const int8 places = clamp(index, -MARGIN, (int)columns);
        const uint here = min(width - x, 8u);
#pragma unroll 1
        for (uint n = 0; n < here; n++) {
            global const lanes *sample = q + ((const int *)&places)[n];
            lanes value = pixels[x + n];
            value += relaxations *
                     (sample[0] * ((const float *)&lefts)[n] + sample[1] * ((const float *)&rights)[n]);
            // NaN stays.
            value = value < minimum ? (lanes)(minimum) : value;
            value = value > maximum ? (lanes)(maximum) : value;
#ifdef MASKED
            value = masks[x + n] == 0.0f ? pixels[x + n] : value;
#endif
            pixels[x + n] = value;
        }
    }
}
