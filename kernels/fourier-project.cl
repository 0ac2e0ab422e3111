// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Slices to samples of their spectra on lines through the middle: the transpose of the steps of fourier-backproject.cl, from
// the last one to the first.
//
// A sample is the sum over WIDTH x WIDTH points of the grid, with the weights by which it is spread over these there. All
// PAIRS of a point are one run of memory here. The copy that has them like this lies about the middle of the spectrum and
// has margins with the points from the other side, so that no sample has to look whether it is at the border.

#include "fourier-samples.h"

// Around the grid, on each side.
#define MARGIN (WIDTH / 2 + 1)

// Where the points of each sample begin, from the middle of the spectrum, and weights: WIDTH columns, then WIDTH rows.
kernel void fourier_places(global const Direction *directions, global int2 *places, global float *weights, const uint length,
                           const float beta, const float factor) {
    const uint k = get_global_id(0);
    const Direction direction = directions[get_global_id(1)];
    const ulong at = SAMPLE(direction.view, k) / 2;
    const long steps[2] = {direction.step_u, direction.step_v};
    const float unit = 1.0f / (1L << 40);
    int first[2];
    for (uint axis = 0; axis < 2; axis++) {
        const long place = k * steps[axis];
        // The first point that is less than half a width below.
        first[axis] = (int)((place - (((long)WIDTH << 40) / 2)) >> 40) + 1;
        for (uint i = 0; i < WIDTH; i++)
            weights[(at * 2 + axis) * WIDTH + i] =
                spread(((((long)first[axis] + i) << 40) - place) * unit, WIDTH, beta, factor);
    }
    places[at] = (int2)(first[0], first[1]);
}

// Slices in pairs, each divided by the transform of the spreading function, with their middle at point 0 of the grid.
// `across` and `down` are those of fourier_crop.
kernel void fourier_pad(IN(slices), global float2 *grid, global uint *is_bad, global const float *across,
                        global const float *down, const uint width, const uint height, const uint planes, const float scale) {
    const uint u = get_global_id(0), v = get_global_id(1), pair = get_global_id(2);
    const uint columns = get_global_size(0), rows = get_global_size(1);
    const uint i = u < columns / 2 ? u + width / 2 : u + width / 2 - columns;
    const uint j = v < rows / 2 ? v + height / 2 : v + height / 2 - rows;
    float value[2] = {0.0f, 0.0f};
    if (i < width && j < height)
        for (uint part = 0; part < 2; part++) {
            const uint slice = 2 * pair + part;
            if (slice >= planes)
                break;
            value[part] = LOAD(slices, ((ulong)slice * height + j) * width + i) * (across[i] * down[j] * scale);
            if (!isfinite(value[part])) {
                value[part] = 0.0f;
                atomic_or(is_bad + slice, 1u);
            }
        }
    grid[((ulong)pair * rows + v) * columns + u] = (float2)(value[0], value[1]);
}

// The point of the grid at a place of the copy with margins.
static uint from_middle(const uint at, const uint points) {
    const int place = (int)at - (int)(points / 2) - MARGIN;
    return (uint)(place < 0 ? place + (int)points : place) % points;
}

#ifdef IN_GROUPS

// A work-group of 16 x PAIRS turns 16 points of all pairs.
kernel void fourier_turn_grid(global const float2 *grid, global float2 *turned, const uint columns, const uint rows) {
    local float2 points[16][PAIRS + 1];
    const uint item = get_local_id(0), pair = get_local_id(1), y = get_global_id(2), block = get_group_id(0) * 16;
    const uint across = columns + 2 * MARGIN;
    if (block + item < across)
        points[item][pair] =
            grid[((ulong)pair * rows + from_middle(y, rows)) * columns + from_middle(block + item, columns)];
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint linear = pair * 16 + item, at = linear / PAIRS;
    if (block + at < across)
        turned[((ulong)y * across + block + at) * PAIRS + linear % PAIRS] = points[at][linear % PAIRS];
}

#else

kernel void fourier_turn_grid(global const float2 *grid, global float2 *turned, const uint columns, const uint rows) {
    const uint y = get_global_id(0), across = columns + 2 * MARGIN;
    const ulong row = (ulong)from_middle(y, rows) * columns;
    global float2 *to = turned + (ulong)y * across * PAIRS;
    for (uint x = 0; x < across; x++) {
        const ulong at = row + from_middle(x, columns);
        for (uint pair = 0; pair < PAIRS; pair++)
            to[x * PAIRS + pair] = grid[pair * ((ulong)rows * columns) + at];
    }
}

#endif

// LANES / 2 pairs a work-item, so that PARTS of them have all pairs.
#define PARTS (2 * PAIRS / LANES)

kernel void fourier_gather(global const VALUE *turned, global const int2 *places, global const float *weights,
                           global VALUE *samples, const uint columns, const uint rows, const uint views, const uint length) {
    const uint part = get_global_id(0) % PARTS, k = get_global_id(0) / PARTS, p = get_global_id(1);
    if (k > length / 2 || p >= views)
        return;
    const ulong at = SAMPLE(p, k) / 2;
    const int2 place = places[at];
    global const float *along = weights + at * 2 * WIDTH, *across = along + WIDTH;
    const long stride = columns + 2 * MARGIN;
    const long middle = (rows / 2 + MARGIN) * stride + columns / 2 + MARGIN, first = place.y * stride + place.x;
    // The mirror image of a point is as far on the other side of the middle.
    global const VALUE *here = turned + (middle + first) * PARTS + part, *there = turned + (middle - first) * PARTS + part;
    VALUE sum = 0.0f, mirrored = 0.0f;
    for (uint j = 0; j < WIDTH; j++) {
        VALUE of_row = 0.0f, of_mirrored = 0.0f;
        for (uint i = 0; i < WIDTH; i++) {
            of_row += along[i] * here[i * PARTS];
            of_mirrored += along[i] * there[-(long)(i * PARTS)];
        }
        sum += across[j] * of_row;
        mirrored += across[j] * of_mirrored;
        here += stride * PARTS;
        there -= stride * PARTS;
    }
    samples[at * 2 * PARTS + part] = sum;
    samples[(at * 2 + 1) * PARTS + part] = mirrored;
}
