// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Steps of elements/correction/conjugate-gradients.hpp.

#include "group-sum.h"

#include "rows.h"

kernel void product(global const float *a, global const float *b, global tomo_sum *parts, const uint rows) {
    const ulong first = get_global_id(1) * (ulong)rows;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_ROWS sum = tomo_add(sum, (tomo_real)a[first + i] * b[first + i]);
    FINISH_PARTS(sum)
}

// The state of a right-hand side: norm at first, length of the step, norm now, turn of the direction.
kernel void conclude(global const tomo_sum *parts, const uint number, global float4 *state, const uint kind) {
    const uint z = get_global_id(0);
    tomo_sum sum = (tomo_sum)(0.0f);
    for (uint i = 0; i < number; i++)
        sum = tomo_merge(sum, parts[z * number + i]);
    const float total = (float)tomo_total(sum);
    float4 s = state[z];
    if (kind == 0)
        s = (float4)(total, 0.0f, total, 0.0f);
    else if (kind == 1)
        s.y = total > 0.0f ? s.z / total : 0.0f;
    else
        s = (float4)(s.x, s.y, total, s.z > 0.0f ? total / s.z : 0.0f);
    state[z] = s;
}

kernel void advance(const uint rows, global const float4 *state, global const float *direction, global const float *image,
                    global float *solution, global float *residual) {
    ROW;
    const float length = state[get_global_id(1)].y;
    solution[at] += length * direction[at];
    residual[at] -= length * image[at];
}

kernel void turn(const uint rows, global const float4 *state, global const float *preconditioned, global float *direction) {
    ROW;
    direction[at] = preconditioned[at] + state[get_global_id(1)].w * direction[at];
}
