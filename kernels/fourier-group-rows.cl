// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rows of sinograms to their spectra and back, each by a work-group, in one pass over memory; fourier-rows.cl has the rest.

#include "edge-padding.h"
#include "fourier-padding.h"
#include "group-fft.h"

// Spectra of the rows of the views from `first` on.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fourier_rows(IN(sinograms), global float2 *rows, global uint *is_bad, const uint first, const uint width, const uint views,
             const uint slices, const uint continues_edges, global const float2 *circle, local float2 *shared) {
    const uint item = get_local_id(0), i = get_group_id(1), pair = get_group_id(2), chunk = get_num_groups(1), p = first + i;
    if (p >= views)
        return;
    float2 v[16];
#pragma unroll
    for (int n = 0; n < 16; n++)
        v[n] = padded_sample(sinograms_base, sinograms_at, is_bad, item + n * ITEMS, p, pair, width, views, slices, LENGTH,
                             continues_edges);
    transform(v, item, circle, shared);
    global float2 *to = rows + ((ulong)pair * chunk + i) * LENGTH;
#pragma unroll
    for (int n = 0; n < 16; n++)
        to[item + n * ITEMS] = v[n];
}

// The way back, for the columns that the detector has.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
fourier_unpad_rows(global const float2 *rows, OUT(float, out), global const uint *is_bad, const uint first, const uint width,
                   const uint views, const uint slices, global const float2 *circle, local float2 *shared) {
    const uint item = get_local_id(0), i = get_group_id(1), pair = get_group_id(2), chunk = get_num_groups(1), p = first + i;
    if (p >= views)
        return;
    float2 v[16];
    global const float2 *from = rows + ((ulong)pair * chunk + i) * LENGTH;
#pragma unroll
    for (int n = 0; n < 16; n++)
        v[n] = from[item + n * ITEMS];
    transform_back(v, item, circle, shared);
#pragma unroll
    for (int n = 0; n < 16; n++)
        if (item + n * ITEMS < width)
            put_sample(out_base, out_at, is_bad, v[n] * (1.0f / LENGTH), item + n * ITEMS, p, pair, width, views, slices);
}
