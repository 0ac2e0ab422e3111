// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection on GPUs: a work-group makes a tile, each work-item PIXELS of one column.
//
// GROUP_W, GROUP_H  work-group; TILE_W is GROUP_W, TILE_H a multiple of GROUP_H

#include "backproject-row.h"
#include "backproject-sampling.h"
#include "backproject-tile.h"

#define PIXELS (TILE_H / GROUP_H)

// Weights of three samples for a pixel that lies this far behind the second one, in units of the narrowing.
#define FIRST_OF_THREE(behind, narrowing) clamp(-(behind) - ((narrowing) - 1.0f), 0.0f, 1.0f)
#define SECOND_OF_THREE(behind) clamp(1.0f - fabs(behind), 0.0f, 1.0f)
#define THIRD_OF_THREE(behind, narrowing) clamp((behind) - ((narrowing) - 1.0f), 0.0f, 1.0f)

kernel __attribute__((reqd_work_group_size(GROUP_W, GROUP_H, 1))) void
KERNEL(IN(sinograms), OUT(float, out), global const Row *restrict rows, const uint width,
       const uint projections, const uint depth, const uint roi_width, const uint roi_height) {
    local Segment segments[2][STAGED];
    local lanes samples[VECTORS][STAGED][SEGMENT];

    const uint item = get_local_id(1) * GROUP_W + get_local_id(0);
    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H, z = get_group_id(2) * SLICES;
    const float in_x = get_local_id(0), in_y = get_local_id(1) * PIXELS;
    const ulong in_stride = (ulong)width * projections;

    lanes sum[PIXELS][VECTORS];
#pragma unroll
    for (int k = 0; k < PIXELS; k++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            sum[k][v] = (lanes)(0.0f);

    for (uint r = item; r < STAGED; r += GROUP_W * GROUP_H)
        segments[0][r] = place(rows, r, projections, x, y);
    barrier(CLK_LOCAL_MEM_FENCE);

    int turn = 0;
    for (uint first = 0; first < projections; first += STAGED, turn ^= 1) {
        for (uint r = item; r < STAGED; r += GROUP_W * GROUP_H)
            segments[turn ^ 1][r] = place(rows, first + STAGED + r, projections, x, y);
        for (uint k = item; k < STAGED * SEGMENT; k += GROUP_W * GROUP_H) {
            const uint r = k / SEGMENT, c = k % SEGMENT;
            const uint column = segments[turn][r].start + c; // left of the row it wraps and is large
            const ulong at = z * in_stride + (ulong)(first + r) * width + column;
            for (int v = 0; v < VECTORS; v++) {
                lanes value = (lanes)(0.0f);
                if (column < width)
                    gather(sinograms_base, sinograms_at, at + v * LANES * in_stride, in_stride,
                           (int)(depth - z) - v * LANES, segments[turn][r].weight, &value);
                samples[v][r][c] = value;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (int r = 0; r < STAGED; r++) {
            const Segment segment = segments[turn][r];
            const float base = segment.origin + in_x * segment.cosine + in_y * segment.sine;
#if PIXELS > 1 && !defined(BACKPROJECT_NEAREST)
            // Local memory is the limit. Two pixels one above the other lie less than a sample apart, so that
            // three samples serve both.
            const float narrowing = NARROWING(segment);
#pragma unroll
            for (int k = 0; k < PIXELS; k += 2) {
                const float position = base + (float)k * segment.sine;
                const int index = (int)(position + fmin(segment.sine, 0.0f));
                const float behind_first = position - (float)index;
                const float upper = (behind_first - 1.0f) * narrowing,
                            lower = (behind_first + segment.sine - 1.0f) * narrowing;
#pragma unroll
                for (int v = 0; v < VECTORS; v++) {
                    const lanes a = samples[v][r][index], b = samples[v][r][index + 1],
                                c = samples[v][r][index + 2];
                    sum[k][v] += a * FIRST_OF_THREE(upper, narrowing);
                    sum[k][v] += b * SECOND_OF_THREE(upper);
                    sum[k][v] += c * THIRD_OF_THREE(upper, narrowing);
                    sum[k + 1][v] += a * FIRST_OF_THREE(lower, narrowing);
                    sum[k + 1][v] += b * SECOND_OF_THREE(lower);
                    sum[k + 1][v] += c * THIRD_OF_THREE(lower, narrowing);
                }
            }
#else
#pragma unroll
            for (int k = 0; k < PIXELS; k++) {
                const float position = base + (float)k * segment.sine;
                const int index = (int)position;
                const float fraction = position - (float)index;
#pragma unroll
                for (int v = 0; v < VECTORS; v++)
                    ACCUMULATE(sum[k][v], samples[v][r], index, fraction, NARROWING(segment));
            }
#endif
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const uint i = x + get_local_id(0);
    const ulong out_stride = (ulong)roi_width * roi_height;
#pragma unroll
    for (int k = 0; k < PIXELS; k++) {
        const uint j = y + get_local_id(1) * PIXELS + k;
        if (i < roi_width && j < roi_height) {
#pragma unroll
            for (int v = 0; v < VECTORS; v++)
                scatter(out_base, out_at, (z + v * LANES) * out_stride + (ulong)j * roi_width + i, out_stride,
                        (int)(depth - z) - v * LANES, &sum[k][v]);
        }
    }
}
