// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection on CPUs: a work-item makes a tile. SIMD lanes hold SLICES slices, or eight pixels of a
// single one; TILE_W is a multiple of 8.
#include "backproject-row.h"
#include "backproject-sampling.h"
#include "backproject-tile.h"

// Lays the segments of STAGED rows from `first` on into `samples`. (The last eight samples of each are
// never used; a single slice loads beyond what it picks.)
static void stage(IN(sinograms), global const Row *rows, const uint first, const uint width,
                  const uint projections, const uint depth, const uint x, const uint y, const uint z,
                  Segment *segments, lanes (*samples)[SEGMENT + 8]) {
    const ulong stride = (ulong)width * projections;
    const int planes = min(depth - z, (uint)SLICES);
    for (int r = 0; r < STAGED; r++) {
        const Segment segment = place(rows, first + r, projections, x, y);
        segments[r] = segment;
        const ulong row = z * stride + (ulong)(first + r) * width;
        // The samples from `begin` to `end` of the segment lie in the row.
        const int begin = clamp(-segment.start, 0, SEGMENT);
        const int end = clamp((int)width - segment.start, begin, SEGMENT);
        for (int c = 0; c < begin; c++)
            samples[r][c] = (lanes)(0.0f);
        if (planes == SLICES) // a constant for the compiler
            for (int c = begin; c < end; c++)
                gather(sinograms_base, sinograms_at, row + (ulong)(segment.start + c), stride, SLICES,
                       segment.weight, &samples[r][c]);
        else
            for (int c = begin; c < end; c++)
                gather(sinograms_base, sinograms_at, row + (ulong)(segment.start + c), stride, planes,
                       segment.weight, &samples[r][c]);
        for (int c = end; c < SEGMENT; c++)
            samples[r][c] = (lanes)(0.0f);
    }
}

#if SLICES > 1

kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
KERNEL(IN(sinograms), OUT(float, out), global const Row *restrict rows, const uint width,
       const uint projections, const uint depth, const uint roi_width, const uint roi_height) {
    Segment segments[STAGED];
    lanes samples[STAGED][SEGMENT + 8];
    lanes sum[TILE_H][TILE_W];

    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H, z = get_group_id(2) * SLICES;
    const int tile_w = min(roi_width - x, (uint)TILE_W), tile_h = min(roi_height - y, (uint)TILE_H);

    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < tile_w; i++)
            sum[j][i] = (lanes)(0.0f);

    for (uint first = 0; first < projections; first += STAGED) {
        stage(sinograms_base, sinograms_at, rows, first, width, projections, depth, x, y, z, segments,
              samples);
        for (int j = 0; j < tile_h; j++)
            for (int i = 0; i < tile_w; i++) {
                lanes total[2] = {(lanes)(0.0f), (lanes)(0.0f)};
#pragma unroll
                for (int r = 0; r < STAGED; r++) {
                    const float position =
                        segments[r].origin + (float)j * segments[r].sine + (float)i * segments[r].cosine;
                    const int index = (int)position;
                    const float fraction = position - (float)index;
                    ACCUMULATE(total[r % 2], samples[r], index, fraction, NARROWING(segments[r]));
                }
                sum[j][i] += total[0] + total[1];
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
        stage(sinograms_base, sinograms_at, rows, first, width, projections, depth, x, y, z, segments,
              samples);
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
