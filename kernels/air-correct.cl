// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "group-sum.h"

// A work-group for each view, whose samples are `runs` runs of neighbours.
kernel void air_means(IN(air), OUT(float, means), const ulong run, const uint runs, const ulong to_next_run,
                      local tomo_sum *sums, local tomo_sum *counts) {
    const uint item = get_local_id(0), items = get_local_size(0), view = get_global_id(1);
    tomo_sum sum = (tomo_sum)0, count = (tomo_sum)0;
    for (uint r = 0; r < runs; r++)
        for (ulong i = item; i < run; i += items) {
            const float value = LOAD(air, r * to_next_run + view * run + i);
            if (isfinite(value)) {
                sum = tomo_add(sum, value);
                count = tomo_add(count, 1.0f);
            }
        }
    sum = tomo_sum_of_group(sums, sum);
    count = tomo_sum_of_group(counts, count);
    if (item == 0)
        AT(means, view) = tomo_total(sum) / tomo_total(count);
}

kernel void air_correct(IN(projections), global const float *restrict means, const ulong means_at,
                        OUT(float, out), const int is_sinogram) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const ulong i = tomo_index(x, y, z, get_global_size(0), get_global_size(1));
    AT(out, i) = LOAD(projections, i) / means[means_at + (is_sinogram ? y : z)];
}
