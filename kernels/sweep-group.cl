// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A sweep on GPUs: a work-item for each slice of a set. COLUMNS rays of it make a work-group, which cuts them into SEGMENTS.
#include "backproject-row.h"
#include "forwardproject-rays.h"
#include "sweep.h"

#define RAYS (COLUMNS * LANES)

// Work-groups of RAYS x SEGMENTS, one for each block of columns and each set. `squares` gets the part of |b - A x|^2 of
// each slice, view and block.
kernel void sweep_rays(global const float *restrict sets, global const float *restrict measured,
                       global const float *restrict ray_sums, global float *restrict q, global float *restrict squares,
                       global const Rays *restrict angles, SHAPE) {
    local float parts[SEGMENTS][RAYS];
    const uint item = get_local_id(0), lane = item % LANES, segment = get_local_id(1);
    const uint block = get_group_id(0), blocks = get_num_groups(0), set = get_global_id(2), column = block * COLUMNS + item / LANES;
    const Rays rays = angles[view];
    const int lines = rays.is_turned ? width : height, length = rays.is_turned ? height : width;
    const long to_line = (rays.is_turned ? 1 : PITCH(width)) * LANES, to_next = (rays.is_turned ? PITCH(width) : 1) * LANES;
    global const float *slice = sets + FIRST_PIXEL(set, width, height) * LANES + lane;

    const long start = rays.start + column * rays.per_column;
    const int2 inside = lines_inside(&rays, start, lines, length);
    const int share = (inside.y - inside.x + SEGMENTS - 1) / SEGMENTS;
    const int first = inside.x + (int)segment * share, end = min(first + share, inside.y);
    long at = start + first * rays.per_line;
    float sum = 0.0f;
    for (int line = first; line < end; line++, at += rays.per_line) {
        const int k = clamp((int)(at >> 32), -MARGIN, length);
        const float fraction = (uint)at * 0x1p-32f;
        global const float *sample = slice + line * to_line + k * to_next;
        sum += sample[0] + fraction * (sample[to_next] - sample[0]);
    }
    parts[segment][item] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);

    const uint plane = set * LANES + lane;
    float difference = 0.0f;
    if (segment == 0 && column < columns && plane < depth) {
        float total = 0.0f;
        for (int i = 0; i < SEGMENTS; i++)
            total += parts[i][item];
        const ulong ray = view * (ulong)columns + column;
        const float along = ray_sums[ray];
        difference = measured[(ulong)plane * views * columns + ray] - total * rays.weight;
        q[(set * (ulong)PITCH(columns) + MARGIN + column) * LANES + lane] = along > 0.0f ? difference / along : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (segment == 0)
        parts[0][item] = difference * difference;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (segment == 0 && item < LANES && plane < depth) {
        float square = 0.0f;
        for (int n = 0; n < COLUMNS; n++)
            square += parts[0][n * LANES + item];
        squares[((ulong)plane * views + view) * blocks + block] = square;
    }
}

// Slices that a work-item corrects at once: all have the same place on the detector.
#if LANES >= 4
#define TOGETHER 4
typedef float4 Together;
#elif LANES == 2
#define TOGETHER 2
typedef float2 Together;
#else
#define TOGETHER 1
typedef float Together;
#endif
#define TOGETHER_AT(values) (*(global const Together *)(values))

// Global size: lanes of a row, by TOGETHER, rows, sets. A slice that is done stays as it is; `planes` make a volume.
kernel void sweep_pixels(global float *sets, global const float *masks, global const float *restrict q, global const Row *restrict rows,
                         global const uint *is_done, const uint planes, const float relaxation, const float minimum,
                         const float maximum, SHAPE) {
    const uint lane = get_global_id(0) % (LANES / TOGETHER) * TOGETHER, x = get_global_id(0) / (LANES / TOGETHER);
    const uint y = get_global_id(1), set = get_global_id(2), plane = set * LANES + lane;
    if (x >= width || y >= height || plane >= depth)
        return;
    uint done = 0; // a bit for each slice
#pragma unroll
    for (uint i = 0; i < TOGETHER; i++)
        done |= (is_done[min(plane + i, depth - 1) / planes] != 0) << i;
    if (done == (1 << TOGETHER) - 1)
        return;
    const Row row = rows[view];
    const float narrowing = 1.0f / fmax(fabs(row.cosine), fabs(row.sine));
    const long at = row.origin + x * row.step_x + y * row.step_y;
    const int index = (int)clamp(at >> 32, -(long)MARGIN, (long)columns);
    const float fraction = (uint)at * 0x1p-32f;
    // Samples outside of the detector do not count.
    const float left = index >= 0 && index < (int)columns ? fmax(1.0f - fraction * narrowing, 0.0f) : 0.0f;
    const float right = index >= -1 && index < (int)columns - 1 ? fmax(1.0f - (1.0f - fraction) * narrowing, 0.0f) : 0.0f;
    const float weight = left + right > 0.0f ? relaxation / (left + right) : 0.0f;
    global const float *sample = q + (set * (ulong)PITCH(columns) + MARGIN + index) * LANES + lane;
    global float *pixels = sets + (FIRST_PIXEL(set, width, height) + (ulong)y * PITCH(width) + x) * LANES + lane;
    const Together value = TOGETHER_AT(pixels);
    Together corrected = value;
    if (weight != 0.0f)
        corrected += weight * (left * TOGETHER_AT(sample) + right * TOGETHER_AT(sample + LANES));
    // NaN stays.
    corrected = select(corrected, (Together)minimum, corrected < minimum);
    corrected = select(corrected, (Together)maximum, corrected > maximum);
#ifdef MASKED
    corrected = select(corrected, value, TOGETHER_AT(masks + (pixels - sets)) == 0.0f);
#endif
    if (done == 0)
        *(global Together *)pixels = corrected;
    else
#pragma unroll
        for (uint i = 0; i < TOGETHER; i++)
            if (!(done >> i & 1))
                pixels[i] = ((const float *)&corrected)[i];
}
