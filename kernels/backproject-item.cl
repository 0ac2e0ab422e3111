// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection on CPUs: a work-item makes a tile. SIMD lanes hold SLICES slices, or eight pixels of a
// single one; TILE_W is a multiple of 8.
#include "backproject-row.h"
#include "backproject-sampling.h"
#include "backproject-tile.h"

#if SLICES > 1

// PACKED_WIDTH(width) samples of a row in `packed`: zeros around the row on which any segment lies that misses it. It
// is odd, so that the rows of a tile do not compete for the same lines of a cache.
#define PACKED_WIDTH(width) (((width) + 2 * SEGMENT) | 1u)

// The sinograms of a set of SLICES planes as vectors, weighted: a pixel of all slices takes two runs of memory.
// A work-item makes BLOCK columns of a row.
#define BLOCK 16
kernel void backproject_pack_lanes(IN(sinograms), global float *restrict packed,
                                   global const Row *restrict rows, const uint width, const uint projections,
                                   const uint depth, const uint set) {
    const uint block = get_global_id(0), projection = get_global_id(1);
    const ulong stride = (ulong)width * projections;
    const int planes = min(depth - set * SLICES, (uint)SLICES);
    const int first = (int)(block * BLOCK) - SEGMENT; // column
    const int begin = clamp(-first, 0, BLOCK), end = clamp((int)width - first, begin, BLOCK);
    const float weight = rows[projection].weight;
    float samples[BLOCK][SLICES];
    for (int c = 0; c < BLOCK; c++)
        for (int n = 0; n < SLICES; n++)
            samples[c][n] = 0.0f;
    for (int n = 0; n < planes; n++) {
        const ulong row = (set * SLICES + n) * stride + (ulong)projection * width + first;
        for (int c = begin; c < end; c++)
            samples[c][n] = weight * LOAD(sinograms, row + c);
    }
    const uint columns = min(PACKED_WIDTH(width) - block * BLOCK, (uint)BLOCK);
    packed += ((ulong)projection * PACKED_WIDTH(width) + block * BLOCK) * SLICES;
    for (uint c = 0; c < columns; c++)
        for (int n = 0; n < SLICES; n++)
            packed[c * SLICES + n] = samples[c][n];
}

kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
KERNEL(global const lanes *restrict packed, OUT(float, out), global const Row *restrict rows, const uint width,
       const uint projections, const uint depth, const uint roi_width, const uint roi_height, const uint set) {
    lanes sum[TILE_H][TILE_W];

    const float8 eight = (float8)(0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f);
    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H, z = set * SLICES;
    const int tile_w = min(roi_width - x, (uint)TILE_W), tile_h = min(roi_height - y, (uint)TILE_H);

    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < TILE_W; i++)
            sum[j][i] = (lanes)(0.0f);

    for (uint first = 0; first < projections; first += STAGED) {
        Segment segments[STAGED];
        global const lanes *samples[STAGED];
        for (int r = 0; r < STAGED; r++) {
            segments[r] = place(rows, first + r, projections, x, y);
            samples[r] = packed + (ulong)min(first + r, projections - 1) * PACKED_WIDTH(width) +
                         (SEGMENT + clamp(segments[r].start, -SEGMENT, (int)width));
        }
        for (int j = 0; j < tile_h; j++)
            for (int i = 0; i < tile_w; i += 8) {
                // Of eight pixels at a time. They go through memory, from which one of them is spread to all
                // lanes as it is loaded.
                int8 indices[STAGED];
                float8 fractions[STAGED];
                for (int r = 0; r < STAGED; r++) {
                    const float8 position = segments[r].origin + (float)j * segments[r].sine +
                                            ((float)i + eight) * segments[r].cosine;
                    indices[r] = convert_int8(position);
                    fractions[r] = position - convert_float8(indices[r]);
                }
#pragma unroll 1
                for (int n = 0; n < 8; n++) {
                    lanes total[2] = {(lanes)(0.0f), (lanes)(0.0f)};
#pragma unroll
                    for (int r = 0; r < STAGED; r++)
                        ACCUMULATE(total[r % 2], samples[r], ((const int *)&indices[r])[n],
                                   ((const float *)&fractions[r])[n], NARROWING(segments[r]));
                    sum[j][i + n] += total[0] + total[1];
                }
            }
    }

    const ulong stride = (ulong)roi_width * roi_height;
    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < tile_w; i++)
            scatter(out_base, out_at, z * stride + (ulong)(y + j) * roi_width + x + i, stride, depth - z,
                    &sum[j][i]);
}

#else

// samples[index[n]] for indices below eight; PoCL 3.1 makes `shuffle` element by element.
#if defined(__AVX2__) && defined(__has_builtin)
#if __has_builtin(__builtin_ia32_permvarsf256)
#define PICK(samples, index) __builtin_ia32_permvarsf256(vload8(0, samples), index)
#endif
#endif
#ifndef PICK
#define PICK(samples, index) shuffle(vload8(0, samples), as_uint8(index))
#endif

// Lays the segments of STAGED rows from `first` on into `samples`. (The last eight samples of each are
// loaded but not used.)
static void stage(IN(sinograms), global const Row *rows, const uint first, const uint width,
                  const uint projections, const uint x, const uint y, const uint z, Segment *segments,
                  float (*samples)[SEGMENT + 8]) {
    const ulong plane = (ulong)z * width * projections;
    for (int r = 0; r < STAGED; r++) {
        const Segment segment = place(rows, first + r, projections, x, y);
        segments[r] = segment;
        const ulong row = plane + (ulong)(first + r) * width;
        // The samples from `begin` to `end` of the segment lie in the row.
        const int begin = clamp(-segment.start, 0, SEGMENT);
        const int end = clamp((int)width - segment.start, begin, SEGMENT);
        for (int c = 0; c < begin; c++)
            samples[r][c] = 0.0f;
        for (int c = begin; c < end; c++)
            samples[r][c] = segment.weight * LOAD(sinograms, row + (ulong)(segment.start + c));
        for (int c = end; c < SEGMENT; c++)
            samples[r][c] = 0.0f;
    }
}

// A single slice: the SIMD lanes hold eight neighbouring pixels. |cos t| <= 1, so
// their samples lie within eight neighbours and are picked from one register
// rather than gathered from memory.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
KERNEL(IN(sinograms), OUT(float, out), global const Row *restrict rows, const uint width,
       const uint projections, const uint depth, const uint roi_width, const uint roi_height) {
    Segment segments[STAGED];
    float samples[STAGED][SEGMENT + 8];
    float8 sum[TILE_H][TILE_W / 8];

    const float8 lane = (float8)(0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f);
    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H, z = get_group_id(2);
    const int tile_w = min(roi_width - x, (uint)TILE_W), tile_h = min(roi_height - y, (uint)TILE_H);

    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < TILE_W / 8; i++)
            sum[j][i] = (float8)(0.0f);

    for (uint first = 0; first < projections; first += STAGED) {
        stage(sinograms_base, sinograms_at, rows, first, width, projections, x, y, z, segments, samples);
        for (int j = 0; j < tile_h; j++)
            for (int i = 0; 8 * i < tile_w; i++) {
                float8 total[2] = {(float8)(0.0f), (float8)(0.0f)};
#pragma unroll
                for (int r = 0; r < STAGED; r++) {
                    const float cosine = segments[r].cosine;
                    const float base =
                        segments[r].origin + (float)j * segments[r].sine + (float)(8 * i) * cosine;
                    const int lowest = (int)(base + fmin(7.0f * cosine, 0.0f));
                    const float8 position = (base - (float)lowest) + lane * cosine;
                    // Where rounding makes it 8, the fraction becomes 1 instead.
                    const int8 index = min(convert_int8(position), 7);
#ifdef BACKPROJECT_NEAREST
                    total[r % 2] += PICK(samples[r] + lowest, index);
#else
                    const float8 fraction = position - convert_float8(index);
                    total[r % 2] +=
                        PICK(samples[r] + lowest, index) * WEIGHT_BELOW(fraction, NARROWING(segments[r]));
                    total[r % 2] +=
                        PICK(samples[r] + lowest + 1, index) * WEIGHT_ABOVE(fraction, NARROWING(segments[r]));
#endif
                }
                sum[j][i] += total[0] + total[1];
            }
    }

    const ulong stride = (ulong)roi_width * roi_height;
    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < tile_w; i++)
            AT(out, z * stride + (ulong)(y + j) * roi_width + x + i) = ((float *)sum[j])[i];
}

#endif
