// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Filtered backprojection of a parallel beam by a non-uniform Fourier transform (Fessler, Sutton, IEEE Trans. Signal
// Process. 51, 560 (2003), doi 10.1109/TSP.2002.807005; Dutt, Rokhlin, SIAM J. Sci. Comput. 14, 1368 (1993)).
//
// A row of `length` samples, padded, has the spectrum Z[k], k = -length / 2 .. length / 2; both ends count by half. The
// filtered row is interpolated by its own trigonometric polynomial, so that pixel (x, y) from the middle of the slice is
//     f(x, y) = sum over views p and k of S[p][k] exp(2 pi i k (x cos t + y sin t) / length)
//     S[p][k] = Z[p][k] H[k] weight[p] / length exp(2 pi i k axis[p] / length)
// with axis[p] the column of row p that sees the middle of the slice. The samples S lie at k (cos t, sin t); each is
// spread over the points of a grid within half a width by the function of Kaiser and Bessel, the grid is transformed, and the
// slice is divided by the transform of that function. Two real slices are one complex one.
//
// Spreading goes by points, not by samples: each pair of 2 x 2 points at (u, v) and at (-u, -v) has a list of the samples
// around it with their weights, made once for all slices. No two work-items add to one number, and the order of sums is
// always the same. A sample of all PAIRS of slices is one run of memory, with that of -k behind that of k, so that one
// list serves a point and its mirror image.

#include "fourier-samples.h"

// Points of a tile in either direction; a tile has the cells of 2 x 2 points row by row, and tiles follow each other row by
// row. They cover rows 0 .. rows / 2 of the grid; others are mirror images.
#define TILE 16
#define CELLS (TILE / 2)

// Number of directions below an angle.
static uint directions_below(global const Direction *directions, const uint views, const float angle) {
    uint low = 0, high = views;
    while (low < high) {
        const uint middle = (low + high) / 2;
        if (directions[middle].angle < angle)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define SPREAD(distance) spread(distance, width, beta, factor)

// The list of each cell: counted into `begins`, or, where these are the lists' beginnings, filled. Positions are in fixed
// point, because float32 holds those of the outer samples to 1e-4 only.
kernel void fourier_lists(global const Direction *directions, const uint views, const uint columns, const uint rows,
                          const uint tiles, global uint *begins, global uint *samples, global float4 *weights,
                          const uint is_filling, const uint length, const uint width, const float beta, const float factor) {
    const uint cell = get_global_id(0), tile = cell / (CELLS * CELLS), inside = cell % (CELLS * CELLS);
    const uint u = tile % tiles * TILE + inside % CELLS * 2, v = tile / tiles * TILE + inside / CELLS * 2;
    const ulong begin = is_filling ? begins[cell] : 0;
    const float half_width = width / 2.0f;
    // From the middle of the cell to the samples that it may get; here the grid has a period of 1 in either direction.
    const float reach = hypot((half_width + 0.5f) / columns, (half_width + 0.5f) / rows);
    uint n = 0;
    // Samples at the border of the band reach points on the other side.
    for (int turn = 0; turn < 6 && u < columns && v <= rows / 2; turn++) {
        const int at_u = (int)u - (u < columns / 2 ? 0 : (int)columns) + (turn % 3 - 1) * (int)columns;
        const int at_v = (int)v - turn / 3 * (int)rows;
        if (abs(2 * at_u + 1) > columns + width + 1 || abs(2 * at_v + 1) > rows + width + 1)
            continue;
        const float middle_u = (at_u + 0.5f) / columns, middle_v = (at_v + 0.5f) / rows;
        const float distance = hypot(middle_u, middle_v);
        uint next = 0, number = views;
        const float opening = distance > reach ? asin(reach / distance) + 1e-4f : M_PI_F;
        if (opening < M_PI_F / 2) {
            float angle = atan2(middle_v, middle_u);
            angle += angle < 0.0f ? M_PI_F : 0.0f;
            const float low = angle - opening, high = angle + opening;
            next = directions_below(directions, views, low < 0.0f ? low + M_PI_F : low);
            const uint end = directions_below(directions, views, high >= M_PI_F ? high - M_PI_F : high);
            number = low < 0.0f || high >= M_PI_F ? views - next + end : end - next;
        }
        for (; number > 0; number--, next++) {
            if (next >= views)
                next -= views;
            const Direction direction = directions[next];
            const float along = length * (middle_u * direction.cosine + middle_v * direction.sine);
            const int first = max(-(int)(length / 2), (int)floor(along - length * reach - 1.0f));
            const int last = min((int)(length / 2), (int)ceil(along + length * reach + 1.0f));
            for (int k = first; k <= last; k++) {
                const float unit = 1.0f / (1L << 40);
                const float du = (((long)at_u << 40) - k * direction.step_u) * unit;
                const float dv = (((long)at_v << 40) - k * direction.step_v) * unit;
                if (du <= -half_width - 1.0f || du >= half_width || dv <= -half_width - 1.0f || dv >= half_width)
                    continue;
                if (is_filling) {
                    samples[begin + n] = SAMPLE(direction.view, abs(k)) + (k < 0);
                    const float2 across = (float2)(SPREAD(du), SPREAD(du + 1.0f));
                    weights[begin + n] = (float4)(SPREAD(dv) * across, SPREAD(dv + 1.0f) * across);
                }
                n++;
            }
        }
    }
    if (!is_filling)
        begins[cell] = n;
}

// Adds an entry to the sums of a cell and of its mirror image.
#define ADD_ENTRY(weight, here, there)                                                                                  \
    sum[0] += weight.x * here, sum[1] += weight.y * here, sum[2] += weight.z * here, sum[3] += weight.w * here;         \
    sum[4] += weight.x * there, sum[5] += weight.y * there, sum[6] += weight.z * there, sum[7] += weight.w * there;

// Over a list from `first` on in steps.
#define ADD_LIST(first, end, step, VALUES_OF)                                                                           \
    for (uint e = (first); e < (end); e += (step)) {                                                                    \
        const uint sample = lists[e];                                                                                   \
        const float4 w = weights[e];                                                                                    \
        const VALUE here = VALUES_OF(sample), there = VALUES_OF(sample ^ 1);                                            \
        ADD_ENTRY(w, here, there)                                                                                       \
    }

// As ADD_LIST, by two entries, with the next two read ahead.
#define ADD_LIST_AHEAD(first, end, step, VALUES_OF)                                                                     \
    {                                                                                                                   \
        uint at = (first), left = ((end) - at + (step) - 1) / (step), next_a = 0, next_b = 0;                           \
        float4 next_w_a = 0.0f, next_w_b = 0.0f;                                                                        \
        if (left >= 2) {                                                                                                \
            next_a = lists[at], next_b = lists[at + (step)];                                                            \
            next_w_a = weights[at], next_w_b = weights[at + (step)];                                                    \
        }                                                                                                               \
        for (; left >= 2; left -= 2, at += 2 * (step)) {                                                                \
            const uint a = next_a, b = next_b;                                                                          \
            const float4 w_a = next_w_a, w_b = next_w_b;                                                                \
            if (left >= 4) {                                                                                            \
                next_a = lists[at + 2 * (step)], next_b = lists[at + 3 * (step)];                                       \
                next_w_a = weights[at + 2 * (step)], next_w_b = weights[at + 3 * (step)];                               \
            }                                                                                                           \
            const VALUE here_a = VALUES_OF(a), there_a = VALUES_OF(a ^ 1);                                              \
            const VALUE here_b = VALUES_OF(b), there_b = VALUES_OF(b ^ 1);                                              \
            ADD_ENTRY(w_a, here_a, there_a)                                                                             \
            ADD_ENTRY(w_b, here_b, there_b)                                                                             \
        }                                                                                                               \
        ADD_LIST(at, end, step, VALUES_OF)                                                                              \
    }

// Index of point (u, v), or of its mirror image, in one plane of the grid.
static ulong grid_index(const uint u, const uint v, const bool mirrored, const uint columns, const uint rows) {
    return mirrored ? (ulong)(v == 0 ? 0 : rows - v) * columns + (u == 0 ? 0 : columns - u) : (ulong)v * columns + u;
}

// Points of rows 0 and rows / 2 are mirror images of points of these rows.
static bool is_point(const uint u, const uint v, const bool mirrored, const uint columns, const uint rows) {
    return u < columns && (mirrored ? v > 0 && 2 * v < rows : 2 * v <= rows);
}

#ifdef IN_GROUPS

// LANES / 2 pairs a work-item, so that PARTS of them have all pairs. A work-group makes a tile, but for cells with long
// lists, as those in the middle: a work-group of their own makes these.
#define PARTS (2 * PAIRS / LANES)
#define ITEMS (CELLS * CELLS * PARTS)

// Neighbours read neighbouring vectors of four: eight lanes are two of them, PARTS apart.
#if LANES == 8
#define VALUE_OF_PART(sample)                                                                                           \
    (float8)(((global const float4 *)samples)[(ulong)(sample) * (2 * PARTS) + part],                                    \
             ((global const float4 *)samples)[(ulong)(sample) * (2 * PARTS) + PARTS + part])
#define PAIR_OF_PART(part, pair) ((pair) / 2 * (2 * PARTS) + (part) * 2 + (pair) % 2)
#else
#define VALUE_OF_PART(sample) samples[(ulong)(sample) * PARTS + part]
#define PAIR_OF_PART(part, pair) ((part) * (LANES / 2) + (pair))
#endif

// With few pairs a work-item has little to do while it waits for an entry: on an H200 four pairs took a fifth less time with
// entries read ahead, but sixteen pairs a sixth more, and an eighth more with `restrict` alone.
#if PAIRS <= 4
#define ADD_SHORT_LIST ADD_LIST_AHEAD
#define ALONE restrict
#else
#define ADD_SHORT_LIST ADD_LIST
#define ALONE
#endif

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fourier_grid(global const VALUE *ALONE samples, global const uint *ALONE begins, global const uint *ALONE lists,
             global const float4 *ALONE weights, global float2 *grid, const uint columns, const uint rows, const uint tiles,
             const uint longest) {
    local float2 points[PARTS][TILE][TILE + 1];
    local uint is_left_out[CELLS * CELLS];
    const uint item = get_local_id(0), part = item % PARTS, inside = item / PARTS, tile = get_group_id(0);
    const uint cell = tile * CELLS * CELLS + inside, first = begins[cell], end = begins[cell + 1];
    const bool is_long = end - first > longest;
    if (part == 0)
        is_left_out[inside] = is_long;
    VALUE sum[8] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    ADD_SHORT_LIST(first, is_long ? first : end, 1, VALUE_OF_PART)
    const float *sums = (const float *)sum;
    const uint u = tile % tiles * TILE, v = tile / tiles * TILE;
    // By constant indices, so that sums stay in registers.
#pragma unroll
    for (uint pair = 0; pair < LANES / 2; pair++)
#pragma unroll
        for (uint mirrored = 0; mirrored < 2; mirrored++) {
            barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
            for (uint point = 0; point < 4; point++) {
                const float *value = sums + (4 * mirrored + point) * LANES + 2 * pair;
                points[part][inside / CELLS * 2 + point / 2][inside % CELLS * 2 + point % 2] = (float2)(value[0], value[1]);
            }
            barrier(CLK_LOCAL_MEM_FENCE);
            for (uint i = item; i < PARTS * TILE * TILE; i += ITEMS) {
                const uint x = i % TILE, y = i / TILE % TILE, of = i / (TILE * TILE);
                if (!is_left_out[y / 2 * CELLS + x / 2] && is_point(u + x, v + y, mirrored, columns, rows))
                    grid[(ulong)PAIR_OF_PART(of, pair) * columns * rows +
                         grid_index(u + x, v + y, mirrored, columns, rows)] = points[of][y][x];
            }
        }
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fourier_long_lists(global const VALUE *restrict samples, global const uint *restrict begins, global const uint *restrict lists,
                   global const float4 *restrict weights, global float2 *grid, const uint columns, const uint rows,
                   const uint tiles, global const uint *cells) {
    local VALUE sums[ITEMS];
    const uint item = get_local_id(0), part = item % PARTS, share = item / PARTS, cell = cells[get_group_id(0)];
    VALUE sum[8] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    const uint first = begins[cell] + share, end = begins[cell + 1];
    ADD_LIST_AHEAD(first, end, CELLS * CELLS, VALUE_OF_PART)
    const uint tile = cell / (CELLS * CELLS), inside = cell % (CELLS * CELLS);
    for (uint point = 0; point < 8; point++) {
        sums[item] = sum[point];
        for (uint half_of = CELLS * CELLS / 2; half_of > 0; half_of /= 2) {
            barrier(CLK_LOCAL_MEM_FENCE);
            if (share < half_of)
                sums[item] += sums[item + half_of * PARTS];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const uint u = tile % tiles * TILE + inside % CELLS * 2 + point % 2;
        const uint v = tile / tiles * TILE + inside / CELLS * 2 + point / 2 % 2;
        if (item < PAIRS && is_point(u, v, point > 3, columns, rows))
            grid[(ulong)PAIR_OF_PART(item / (LANES / 2), item % (LANES / 2)) * columns * rows +
                 grid_index(u, v, point > 3, columns, rows)] =
                ((local const float2 *)sums)[item];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

#else

#define VALUE_AT(sample) samples[sample]

// A work-item makes a row of cells of a tile, all pairs in one vector.
kernel void fourier_grid(global const VALUE *samples, global const uint *begins, global const uint *lists,
                         global const float4 *weights, global float2 *grid, const uint columns, const uint rows,
                         const uint tiles) {
    const uint strip = get_global_id(0), tile = strip / CELLS;
    const uint u = tile % tiles * TILE, v = tile / tiles * TILE + strip % CELLS * 2;
    VALUE points[2][2][TILE]; // mirrored, row, column
    if (2 * v > rows)
        return;
    for (uint inside = 0; inside < CELLS; inside++) {
        const uint cell = strip * CELLS + inside;
        VALUE sum[8] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
        ADD_LIST(begins[cell], begins[cell + 1], 1, VALUE_AT)
        for (uint point = 0; point < 8; point++)
            points[point / 4][point / 2 % 2][2 * inside + point % 2] = sum[point];
    }
    const float2 *values = (const float2 *)points;
    for (uint pair = 0; pair < PAIRS; pair++)
        for (uint mirrored = 0; mirrored < 2; mirrored++)
            for (uint y = 0; y < 2; y++)
                for (uint x = 0; x < TILE; x++)
                    if (is_point(u + x, v + y, mirrored, columns, rows))
                        grid[(ulong)pair * columns * rows + grid_index(u + x, v + y, mirrored, columns, rows)] =
                            values[((mirrored * 2 + y) * TILE + x) * PAIRS + pair];
}

#endif

// The middle of the slice is at point 0 of the transformed grid. `across` and `down` have what each column and row is
// multiplied by.
kernel void fourier_crop(global const float2 *grid, OUT(float, out), global const uint *is_bad, global const float *across,
                         global const float *down, const uint columns, const uint rows, const uint slices) {
    const uint i = get_global_id(0), j = get_global_id(1), pair = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const uint u = i < width / 2 ? columns - width / 2 + i : i - width / 2;
    const uint v = j < height / 2 ? rows - height / 2 + j : j - height / 2;
    const float2 value = grid[((ulong)pair * rows + v) * columns + u] * (across[i] * down[j]);
    for (uint part = 0; part < 2; part++) {
        const uint slice = 2 * pair + part;
        if (slice < slices)
            AT(out, ((ulong)slice * height + j) * width + i) = is_bad[slice] ? NAN : part ? value.y : value.x;
    }
}
