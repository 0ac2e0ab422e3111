// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pixels of gaps have numbers, the rows of their equations: elements/correction/gap-levels.hpp. Vectors have a value for
// each row, those of the next plane behind. Groups are of one size, because some drivers compile kernels for each.

#include "group-sum.h"

#include "rows.h"

// The sum of the pixels beside each pixel of a gap. `marks` are those of the first plane for all.
kernel void gather(global const float *pixels, global const uchar *marks, global const uint *positions, global float *right,
                   global tomo_sum *parts, const uint rows, const uint width, const uint height, const ulong samples) {
    const ulong plane = get_global_id(1) * samples, first = get_global_id(1) * (ulong)rows;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_ROWS {
        const ulong at = positions[i];
        const uint x = at % width, y = at / width % height;
        float beside = 0.0f;
        if (x > 0 && !marks[at - 1])
            beside += pixels[plane + at - 1];
        if (x + 1 < width && !marks[at + 1])
            beside += pixels[plane + at + 1];
        if (y > 0 && !marks[at - width])
            beside += pixels[plane + at - width];
        if (y + 1 < height && !marks[at + width])
            beside += pixels[plane + at + width];
        right[first + i] = beside;
        sum = tomo_add(sum, (tomo_real)beside);
    }
    FINISH_PARTS(sum)
}

// How many pixels beside the gap the row's pixel has.
inline float beside(global const float *diagonal, global const float4 *weights, const ulong i) {
    const float4 w = weights[i];
    return diagonal[i] - w.x - w.y - w.z - w.w;
}

kernel void count_beside(global const float *diagonal, global const float4 *weights, global tomo_sum *parts,
                         const uint rows) {
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_ROWS sum = tomo_add(sum, (tomo_real)beside(diagonal, weights, i));
    FINISH_PARTS(sum)
}

kernel void mean_beside(global const tomo_sum *sums, global const tomo_sum *counts, const uint number, global float *mean) {
    const uint z = get_global_id(0);
    tomo_sum sum = (tomo_sum)(0.0f), count = (tomo_sum)(0.0f);
    for (uint i = 0; i < number; i++) {
        sum = tomo_merge(sum, sums[z * number + i]);
        count = tomo_merge(count, counts[i]);
    }
    mean[z] = (float)(tomo_total(sum) / tomo_total(count));
}

// Equations for the difference to the mean, so that rounding goes by that.
kernel void subtract_mean(const uint rows, global const float *diagonal, global const float4 *weights,
                          global const float *mean, global float *right) {
    ROW;
    right[at] -= mean[get_global_id(1)] * beside(diagonal, weights, i);
}

kernel void scatter(const uint rows, global const uint *positions, global const float *solution, global const float *mean, global float *pixels, const ulong samples) {
    ROW;
    pixels[get_global_id(1) * samples + positions[i]] = mean[get_global_id(1)] + solution[at];
}

// Steps of the solver
// ------------------------------------------------------------------------------------------------------------

#define DAMPING 0.8f // of sweeps
// Equations of a coarser level are twice as stiff as those of a grid of twice the pixel (Braess).
#define CORRECTION 1.8f

kernel void divide(const uint rows, global const float *diagonal, global const float *right, global float *out) {
    ROW;
    out[at] = right[at] / diagonal[i];
}

// What the others take from row j, of values VALUE(row).
#define LINKED(j, VALUE)                                                                                                \
    (weights[j].x * VALUE(links[j].x) + weights[j].y * VALUE(links[j].y) + weights[j].z * VALUE(links[j].z) +          \
     weights[j].w * VALUE(links[j].w))
#define SWEPT(own, VALUE) (own) + DAMPING / diagonal[i] * (right[at] - diagonal[i] * (own) + LINKED(i, VALUE))
#define LEVEL                                                                                                           \
    const uint rows, global const float *diagonal, global const uint4 *links, global const float4 *weights, global const float *right,   \
        global const float *from

// Two sweeps, of which the first one begins with zeros.
kernel void sweep_from_zero(LEVEL, global float *to) {
    ROW;
#define FIRST(row) (DAMPING * from[first + (row)] / diagonal[row])
    to[at] = SWEPT(FIRST(i), FIRST);
}

kernel void sweep(LEVEL, global float *to) {
    ROW;
#define THERE(row) from[first + (row)]
    to[at] = SWEPT(THERE(i), THERE);
}

kernel void correct_and_sweep(LEVEL, global float *to, global const uint *parents, global const float *correction,
                              const uint coarse_rows) {
    ROW;
    global const float *coarse = correction + get_global_id(1) * (ulong)coarse_rows;
#define CORRECTED(row) (from[first + (row)] + CORRECTION * coarse[parents[row]])
    to[at] = SWEPT(CORRECTED(i), CORRECTED);
}

kernel void restrict_residual(LEVEL, global const uint4 *children, const uint coarse_rows, global float *to) {
    const ulong row = get_global_id(0), first = get_global_id(1) * (ulong)rows;
    if (row >= coarse_rows)
        return;
    const uint4 four = children[row];
    const uint child[4] = {four.x, four.y, four.z, four.w};
    float sum = 0.0f;
    for (int k = 0; k < 4 && child[k] < rows; k++) {
        const uint j = child[k];
        sum += right[first + j] - diagonal[j] * THERE(j) + LINKED(j, THERE);
    }
    to[get_global_id(1) * (ulong)coarse_rows + row] = sum;
}

kernel void apply_and_multiply(global const float *diagonal, global const uint4 *links, global const float4 *weights,
                               global const float *from, global float *to, global tomo_sum *parts, const uint rows) {
    const ulong first = get_global_id(1) * (ulong)rows;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_ROWS {
        const float value = diagonal[i] * THERE(i) - LINKED(i, THERE);
        to[first + i] = value;
        sum = tomo_add(sum, (tomo_real)value * THERE(i));
    }
    FINISH_PARTS(sum)
}
