// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "group-sum.h"

// Of each work-group: the sum, the sum of squares, the least and the greatest value of its part. (Extremes do not count
// where a sum is NaN.)
kernel void statistics(IN(in), OUT(tomo_sum, sums), OUT(float2, extremes), const ulong n, local tomo_sum *parts,
                       local float2 *ends) {
    const uint item = get_local_id(0), group = get_group_id(0);
    tomo_sum sum = (tomo_sum)(0.0f), squares = (tomo_sum)(0.0f);
    float2 own = (float2)(INFINITY, -INFINITY);
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {
        const tomo_real value = LOAD_REAL(in, i);
        sum = tomo_add(sum, value);
        squares = tomo_add(squares, value * value);
        own = (float2)(fmin(own.x, (float)value), fmax(own.y, (float)value));
    }
    sum = tomo_sum_of_group(parts, sum);
    squares = tomo_sum_of_group(parts, squares);
    ends[item] = own;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item == 0) {
        for (uint i = 1; i < get_local_size(0); i++)
            own = (float2)(fmin(own.x, ends[i].x), fmax(own.y, ends[i].y));
        AT(sums, 2 * group) = sum;
        AT(sums, 2 * group + 1) = squares;
        AT(extremes, group) = own;
    }
}
