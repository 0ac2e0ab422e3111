// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection in any geometry by columns of voxels, on GPUs. A texel holds one sample, or with TEXEL=4 also the next one
// along f and both of the line below, so that one load gives all that a voxel needs.
//
// Options, beside those of general-columns.h: PROJECTION and SUM, which texels and sums are kept in; TEXEL; TRANSPOSED and
// ADDRESSING of projections, and QUADS where each has a part of a texel; ROWS of LANES work-items; a group makes
// TILE_M x TILE_N columns of STEPS voxels a lane and computes the numbers of STAGE views at once.

#include "general-view.h"
#include "rounding.h"
#include "general-columns.h"
#include "texels.h"

#define LANES 32

// ------------------------------------------------------------------------------------------------------ Projections

#ifdef PACK_ROWS
#define PACK 32 // texels across and down that a work-group makes

// Rows from `first_row` on, `packed` of them, with a border, whose pixels the addressing mode gives where it is outside;
// transposed for TRANSPOSED. Work-groups are PACK x PACK_ROWS.
kernel void pack_texels(IN(in), global PROJECTION *restrict out, const ulong first_texel, const uint part, const uint columns,
                        const uint rows, const uint first_row, const uint packed) {
    local float pixels[PACK + 1][PACK + 2];
    const int first_x = get_group_id(0) * PACK - BORDER, first_y = get_group_id(1) * PACK - BORDER;
    const int across = get_local_id(0), down = get_local_id(1);
    for (int j = 0; j < PACK / PACK_ROWS + 1; j++)
        for (int i = 0; i < 2; i++) {
            const int x = across + i * PACK, y = down + j * PACK_ROWS;
            if (x > PACK || y > PACK)
                continue;
            const int column = tomo_address(first_x + x, columns, ADDRESSING);
            const int row = tomo_address((int)first_row + first_y + y, rows, ADDRESSING);
            pixels[y][x] = column < 0 || row < 0 ? 0.0f : LOAD(in, (ulong)row * columns + column);
        }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = 0; j < PACK / PACK_ROWS; j++) {
#ifdef TRANSPOSED
        const int x = down + j * PACK_ROWS, y = across;
        const int f = first_y + y + BORDER, s = first_x + x + BORDER, fasts = packed, slows = columns;
        const float next = pixels[y + 1][x], below = pixels[y][x + 1];
#else
        const int x = across, y = down + j * PACK_ROWS;
        const int f = first_x + x + BORDER, s = first_y + y + BORDER, fasts = columns, slows = packed;
        const float next = pixels[y][x + 1], below = pixels[y + 1][x];
#endif
        if (f >= fasts + 2 * BORDER || s >= slows + 2 * BORDER)
            continue;
        ulong i = first_texel + (ulong)s * (fasts + 2 * BORDER) + f;
#ifdef QUADS
        i = 4 * i + part;
#endif
#if TEXEL == 4
        const float4 texel = (float4)(pixels[y][x], next, below, pixels[y + 1][x + 1]);
#ifdef PROJECTION_IS_HALF
        vstorea_half4(texel, i, out);
#else
        ((global float4 *)out)[i] = texel;
#endif
#elif defined(PROJECTION_IS_HALF)
        vstore_half(pixels[y][x], i, out);
#else
        out[i] = pixels[y][x];
#endif
    }
}
#endif

// --------------------------------------------------------------------------------------------------- Backprojection

#ifdef STAGE
#define COLUMNS (TILE_M * TILE_N)
#define OWN (COLUMNS / ROWS) // columns of a row of work-items
#define TILE_L (LANES * STEPS)

static float add_sample(const float sum, global const PROJECTION *texels, const Neighbours at, const uint pitch) {
#if TEXEL == 4
    const float4 texel = floats_of(((global const Texel4 *)texels)[at.texel]);
    const float a = texel.x, b = texel.y, c = texel.z, d = texel.w;
#else
    const uint i = at.texel;
    const float a = TOMO_JOIN(tomo_load_, PROJECTION)(texels, i), b = TOMO_JOIN(tomo_load_, PROJECTION)(texels, i + 1);
    const float c = TOMO_JOIN(tomo_load_, PROJECTION)(texels, i + pitch);
    const float d = TOMO_JOIN(tomo_load_, PROJECTION)(texels, i + pitch + 1);
#endif
    // Rounded alike, whatever a compiler makes of a texel.
    return fma(at.lower, fma(at.part, d - c, c), fma(at.upper, fma(at.part, b - a, a), sum));
}

kernel __attribute__((reqd_work_group_size(LANES, ROWS, 1))) void
backproject_columns(global const PROJECTION *restrict projections, global const View *restrict views,
                    global SUM *restrict sums, const uint lanes, const uint rows, const uint planes, const uint first_plane,
                    const uint fasts, const uint slows, const uint count, const uint is_first, const uint4 part,
                    const int4 window) {
    local Column numbers[STAGE * COLUMNS];
    const uint first_m = get_group_id(0) * TILE_M, first_n = first_plane + get_group_id(1) * TILE_N, end_n = part.z + part.w;
    const uint first_l = (part.x / TILE_L + get_group_id(2)) * TILE_L, middle_l = min(first_l + TILE_L / 2, lanes - 1);
    const uint row = get_local_id(1), item = row * LANES + get_local_id(0);
    const float lane = (float)(int)(first_l + get_local_id(0) - middle_l);
    const uint pitch = fasts + 2 * BORDER;
    const ulong size = (ulong)pitch * (slows + 2 * BORDER) * TEXEL;

    float totals[OWN][STEPS];
    // Loops over totals are unrolled, so that these stay in registers.
#pragma unroll
    for (int c = 0; c < OWN; c++)
#pragma unroll
        for (int i = 0; i < STEPS; i++)
            totals[c][i] = 0.0f;
    for (uint first = 0; first < count; first += STAGE) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int j = 0; j < STAGE * COLUMNS / (LANES * ROWS); j++) {
            const uint k = item + j * (LANES * ROWS), v = min(first + k / COLUMNS, count - 1), c = k % COLUMNS;
            const uint m = min(first_m + c % TILE_M, rows - 1), n = min(first_n + c / TILE_M, end_n - 1);
            numbers[k] = column_of(VIEW(views, n, v), middle_l, m, n, fasts, slows, window);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const uint staged = min(count - first, (uint)STAGE);
#pragma unroll 1
        for (uint v = 0; v < staged; v++) {
            global const PROJECTION *const projection = projections + (first + v) * size;
#pragma unroll
            for (int c = 0; c < OWN; c++) {
                const Column column = own_column(numbers + v * COLUMNS + row * OWN + c);
#pragma unroll
                for (int i = 0; i < STEPS; i++)
                    totals[c][i] = add_sample(totals[c][i], projection,
                                              seen_by(&column, lane + (float)(i * LANES), fasts, slows), pitch);
            }
        }
    }
#pragma unroll
    for (int c = 0; c < OWN; c++) {
        const uint m = first_m + (row * OWN + c) % TILE_M, n = first_n + (row * OWN + c) / TILE_M;
        if (m >= rows || n >= end_n)
            continue;
#pragma unroll
        for (int i = 0; i < STEPS; i++) {
            const uint l = first_l + get_local_id(0) + i * LANES;
            if (l < part.x || l >= part.x + part.y)
                continue;
            const ulong at = ((ulong)(n - part.z) * rows + m) * part.y + (l - part.x);
#ifdef SUM_IS_HALF
            vstore_half(is_first ? totals[c][i] : totals[c][i] + vload_half(at, sums), at, sums);
#else
            sums[at] = is_first ? totals[c][i] : totals[c][i] + sums[at];
#endif
        }
    }
}
#endif
