// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection of four views at once that are a quarter of a turn apart, on GPUs: ViewQuads of the host says when that
// holds. A texel holds a sample of each. Columns of voxels that a quarter of a turn takes to each other, (m, n) to
// (side - 1 - n, m), are an orbit; a sample for one column is that of view i for the column i quarters farther on. So an orbit
// takes the places of four columns in one view, and gets sixteen. Columns and views are those of a square around the volume.
//
// Options, beside those of general-columns.h: PROJECTION, which texels are kept in, and SUM; PITCH, texels from line to line,
// which a compiler adds to addresses only if it knows them; ROWS of LANES work-items; a group makes TILE_M x TILE_N orbits of
// STEPS voxels a lane and computes the numbers of STAGE quads at once.

#include "general-view.h"
#include "rounding.h"
#include "general-columns.h"
#include "general-orbits.h"
#include "texels.h"

#define LANES 32

// One view of a quad as texels of general-backproject-columns.cl, where the quads turn out not to be.
#ifdef TEXEL
kernel void texels_of_quads(global const PROJECTION *restrict quads, global PROJECTION *restrict out, const ulong first_quad,
                            const ulong first_texel, const ulong texels, const uint part, const uint pitch) {
    const ulong i = get_global_id(0);
    for (uint t = 0; t < TEXEL; t++) {
        const ulong neighbour = min(i + t % 2 + t / 2 * pitch, texels - 1); // none is seen beyond the end
        out[(first_texel + i) * TEXEL + t] = quads[(first_quad + neighbour) * 4 + part];
    }
}
#endif

#ifdef STAGE
#define ORBITS (TILE_M * TILE_N)
#define COLUMNS (4 * ORBITS)
#define OWN (ORBITS / ROWS) // orbits of a row of work-items
#define TILE_L (LANES * STEPS)

// Straight to the sum: samples that wait for each other would take registers.
static float4 add_sample(const float4 sum, global const Texel4 *quads, const Neighbours at) {
    global const Texel4 *const above = quads + at.texel, *const below = above + PITCH;
    const float right = at.upper * at.part, left = at.upper - right;
    const float lower_right = at.lower * at.part, lower_left = at.lower - lower_right;
    const float4 a = floats_of(above[0]), b = floats_of(above[1]), c = floats_of(below[0]), d = floats_of(below[1]);
    return fma((float4)lower_right, d, fma((float4)lower_left, c, fma((float4)right, b, fma((float4)left, a, sum))));
}

kernel __attribute__((reqd_work_group_size(LANES, ROWS, 1))) void
backproject_quads(global const Texel4 *restrict quads, global const View *restrict views, global SUM *restrict sums,
                  const uint lanes, const uint rows, const uint planes, const uint side, const uint volume_m,
                  const uint volume_n, const uint first_row, const uint fasts, const uint slows, const uint count,
                  const uint4 part, const int4 window) {
    local Column numbers[STAGE * COLUMNS];
    const uint first_m = get_group_id(0) * TILE_M, first_n = first_row + get_group_id(1) * TILE_N;
    const uint first_l = (part.x / TILE_L + get_group_id(2)) * TILE_L, middle_l = min(first_l + TILE_L / 2, lanes - 1);
    const uint row = get_local_id(1), item = row * LANES + get_local_id(0);
    const float lane = (float)(int)(first_l + get_local_id(0) - middle_l);
    const uint most = (side - 1) / 2; // an orbit's first column is in a quarter of the volume
    const ulong size = (ulong)PITCH * (slows + 2 * BORDER);

    float4 totals[OWN][STEPS]; // of an orbit's columns
    // Loops over totals are unrolled, so that these stay in registers.
#pragma unroll
    for (int o = 0; o < OWN; o++)
#pragma unroll
        for (int i = 0; i < STEPS; i++)
            totals[o][i] = 0.0f;
    for (uint first = 0; first < count; first += STAGE) {
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int j = 0; j < STAGE * COLUMNS / (LANES * ROWS); j++) {
            const uint k = item + j * (LANES * ROWS), v = min(first + k / COLUMNS, count - 1), o = k % COLUMNS / 4;
            const uint2 column = turned(min(first_m + o % TILE_M, most), min(first_n + o / TILE_M, most), side, k % 4);
            numbers[k] = column_of(views + v, middle_l, column.x, column.y, fasts, slows, window);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const uint staged = min(count - first, (uint)STAGE);
#pragma unroll 1
        for (uint v = 0; v < staged; v++) {
            global const Texel4 *const quad = quads + (first + v) * size;
#pragma unroll
            for (int o = 0; o < OWN; o++) {
                local const Column *const own = numbers + v * COLUMNS + (row * OWN + o) * 4;
                const Column a = own_column(own), b = own_column(own + 1), c = own_column(own + 2), d = own_column(own + 3);
#pragma unroll
                for (int i = 0; i < STEPS; i++) {
                    const float l = lane + (float)(i * LANES);
#ifdef PROJECTION_IS_HALF
                    // An H200 took 3 % longer where each went straight to its sum, and 17 % with a tilted axis.
                    const float4 none = 0.0f;
                    totals[o][i] += add_sample(none, quad, seen_by(&a, l, fasts, slows)) +
                                    add_sample(none, quad, seen_by(&b, l, fasts, slows)).wxyz +
                                    add_sample(none, quad, seen_by(&c, l, fasts, slows)).zwxy +
                                    add_sample(none, quad, seen_by(&d, l, fasts, slows)).yzwx;
#else
                    float4 sum = totals[o][i];
                    sum = add_sample(sum, quad, seen_by(&a, l, fasts, slows));
                    sum = add_sample(sum.yzwx, quad, seen_by(&b, l, fasts, slows)).wxyz;
                    sum = add_sample(sum.zwxy, quad, seen_by(&c, l, fasts, slows)).zwxy;
                    totals[o][i] = add_sample(sum.wxyz, quad, seen_by(&d, l, fasts, slows)).yzwx;
#endif
                }
            }
        }
    }
#pragma unroll
    for (int o = 0; o < OWN; o++) {
        const uint m = first_m + (row * OWN + o) % TILE_M, n = first_n + (row * OWN + o) / TILE_M;
        // Where a side is odd, its middle columns are first ones of their orbits once, and the very middle is an orbit.
        const uint is_middle_n = side % 2 == 1 && n == most, is_middle = is_middle_n && m == most;
        if (m > most || n > most || (is_middle_n && !is_middle))
            continue;
#pragma unroll
        for (int i = 0; i < STEPS; i++) {
            const uint l = first_l + get_local_id(0) + i * LANES;
            if (l < part.x || l >= part.x + part.y)
                continue;
            const float of_columns[4] = {totals[o][i].x, totals[o][i].y, totals[o][i].z, totals[o][i].w};
#pragma unroll
            for (int r = 0; r < 4; r++) {
                const uint2 column = turned(m, n, side, r) - (uint2)(volume_m, volume_n);
                if (column.x >= rows || column.y >= planes || (is_middle && r > 0))
                    continue;
                const ulong at = ((ulong)column.y * rows + column.x) * part.y + (l - part.x);
#ifdef SUM_IS_HALF
                vstore_half(of_columns[r], at, sums);
#else
                sums[at] = of_columns[r];
#endif
            }
        }
    }
}
#endif
