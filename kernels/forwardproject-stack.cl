// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projection of stacks on GPUs. A sample of LANES slices is what the LINE work-items of a row read at once, WIDTH slices each.
// So the way of a ray is the same for all of them, and no copy of the slices has to be transposed.
#include "forwardproject-rays.h"

#define LINE 32
#define LANES (LINE * WIDTH)
#define RAYS 8 // of a work-item, side by side

#if WIDTH == 1
typedef float lanes;
#else
typedef TOMO_JOIN(float, WIDTH) lanes;
#endif

// Slices side by side, with margins on all four sides. A work-group of LINE x ROWS packs LINE columns of LINE slices.
#define ROWS 8
kernel __attribute__((reqd_work_group_size(LINE, ROWS, 1))) void
pack_stack(IN(slices), global float *restrict stack, const uint width, const uint height, const uint depth, const uint set) {
    local float tile[LINE][LINE + 1];
    const uint item = get_local_id(0), row = get_local_id(1), first = get_group_id(0) * LINE;
    const uint lane = get_group_id(1) * LINE, line = get_group_id(2);
    const uint x = first + item - MARGIN, y = line - MARGIN, pitch = width + 2 * MARGIN;
    for (uint i = row; i < LINE; i += ROWS) {
        const uint z = set * LANES + lane + i;
        tile[i][item] = x < width && y < height && z < depth ? LOAD(slices, tomo_index(x, y, z, width, height)) : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = row; i < LINE; i += ROWS)
        if (first + i < pitch)
            stack[((ulong)line * pitch + first + i) * LANES + lane + item] = tile[item][i];
}

// A row of work-items follows RAYS rays of one angle; those of the ANGLES rows read nearly the same samples.
kernel __attribute__((reqd_work_group_size(LINE, ANGLES, 1))) void
forwardproject_stack(global const lanes *restrict stack, OUT(float, out), global const Rays *restrict angles, const uint width,
                     const uint height, const uint columns, const uint number, const uint depth, const uint set,
                     const uint first_angle) {
    const uint angle = first_angle + get_group_id(1) * ANGLES + get_local_id(1), first_column = get_group_id(0) * RAYS;
    if (angle >= number)
        return;
    const Rays rays = angles[angle];
    const int lines = rays.is_turned ? width : height, length = rays.is_turned ? height : width;
    const long pitch = width + 2 * MARGIN;
    const long of_line = (rays.is_turned ? 1 : pitch) * LINE, of_sample = (rays.is_turned ? pitch : 1) * LINE;
    global const lanes *samples = stack + (MARGIN * pitch + MARGIN) * LINE + get_local_id(0);

    const long start = rays.start + first_column * rays.per_column;
    const int2 of_first = lines_inside(&rays, start, lines, length);
    const int2 of_last = lines_inside(&rays, start + (RAYS - 1) * rays.per_column, lines, length);
    const int first = min(of_first.x, of_last.x), end = max(of_first.y, of_last.y);

    lanes sums[RAYS];
    for (int r = 0; r < RAYS; r++)
        sums[r] = (lanes)(0.0f);
    samples += first * of_line;
    long of_line_start = start + first * rays.per_line;
#pragma unroll 1
    for (int line = first; line < end; line++, of_line_start += rays.per_line, samples += of_line) {
        long at = of_line_start;
#pragma unroll
        for (int r = 0; r < RAYS; r++, at += rays.per_column) {
            const float fraction = (uint)at * 0x1p-32f;
            global const lanes *sample = samples + clamp((int)(at >> 32), -MARGIN, length) * of_sample;
            sums[r] += sample[0] * (1.0f - fraction);
            sums[r] += sample[of_sample] * fraction;
        }
    }
    for (int r = 0; r < RAYS; r++) {
        sums[r] *= rays.weight;
        for (int w = 0; w < WIDTH; w++) {
            const uint z = set * LANES + get_local_id(0) * WIDTH + w;
            if (first_column + r < columns && z < depth)
                AT(out, tomo_index(first_column + r, angle, z, columns, number)) = ((const float *)&sums[r])[w];
        }
    }
}
