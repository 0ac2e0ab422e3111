// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Vectors with `rows` values for each right-hand side, get_global_id(1). Work-groups have GROUP work-items, because some
// drivers compile kernels for each size. For files that include group-sum.h before.

// Parts of sums, one for each work-group.
#define FINISH_PARTS(sum)                                                                                               \
    local tomo_sum places[GROUP];                                                                                       \
    const tomo_sum total = tomo_sum_of_group(places, sum);                                                              \
    if (get_local_id(0) == 0)                                                                                           \
        parts[get_global_id(1) * get_num_groups(0) + get_group_id(0)] = total;
#define FOR_ROWS TOMO_FOR_SHARE(i, rows, (ulong)get_global_id(0), (ulong)get_global_size(0), SPREAD)

// One work-item for each row.
#define ROW                                                                                                             \
    const ulong i = get_global_id(0), first = get_global_id(1) * (ulong)rows, at = first + i;                           \
    if (i >= rows)                                                                                                      \
    return
