// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sampling.h"
#include "group-sum.h"

// A work-group for each plane.
kernel void weight_of_right(IN(left), IN(right), OUT(float, weights), OUT(uint, bad), const uint left_width,
                            const uint right_width, const uint height, const uint overlap, local tomo_sum *parts) {
    const uint z = get_global_id(2);
    tomo_sum of_left = (tomo_sum)(0.0f), of_right = (tomo_sum)(0.0f);
    for (uint j = 0; j < height; j++)
        for (uint k = get_local_id(0); k < overlap; k += get_local_size(0)) {
            of_left = tomo_add(of_left, LOAD_REAL(left, tomo_index(left_width - overlap + k, j, z, left_width, height)));
            of_right = tomo_add(of_right, LOAD_REAL(right, tomo_index(k, j, z, right_width, height)));
        }
    of_left = tomo_sum_of_group(parts, of_left);
    of_right = tomo_sum_of_group(parts, of_right);
    if (get_local_id(0) == 0) {
        const float weight = (float)tomo_total(of_left) / (float)tomo_total(of_right);
        AT(weights, z) = weight;
        if (!isfinite(weight))
            atomic_inc(&AT(bad, 0));
    }
}

kernel void stitch(IN(left), IN(right), global const float *restrict weights_base, const ulong weights_at,
                   OUT(float, out), const uint left_width, const uint right_width, const uint offset, const int blend) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const ulong in_left = tomo_index(i, j, z, left_width, height);
    const ulong in_right = tomo_index(i - offset, j, z, right_width, height);
    const uint shared = left_width - offset;
    float value;
    if (i >= left_width)
        value = AT(weights, z) * LOAD(right, in_right);
    else if (i < offset || !blend)
        value = LOAD(left, in_left);
    else
        value = tomo_between(LOAD(left, in_left), AT(weights, z) * LOAD(right, in_right),
                             shared > 1 ? (float)(i - offset) / (shared - 1) : 0.5f);
    AT(out, tomo_index(i, j, z, width, height)) = value;
}
