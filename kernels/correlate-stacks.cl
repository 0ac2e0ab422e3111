// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "group-sum.h"

inline tomo_real square(const tomo_real value) { return value * value; }

// A work-group for each reference.
kernel void correlate_stacks(IN(in0), IN(in1), OUT(float, matrix), const ulong row, const ulong size,
                             local tomo_sum *parts) {
    const ulong reference = get_group_id(0);
    tomo_sum sum = (tomo_sum)(0.0f);
    for (ulong k = get_local_id(0); k < size; k += get_local_size(0))
        sum = tomo_add(sum, square(LOAD_REAL(in0, reference * size + k) - LOAD_REAL(in1, k)));
    sum = tomo_sum_of_group(parts, sum);
    if (get_local_id(0) == 0)
        AT(matrix, row * get_num_groups(0) + reference) = (float)tomo_total(sum);
}
