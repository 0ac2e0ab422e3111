// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Displacements of images against models of them, by least squares.

#include "group-sum.h"

// Sums of products of the values of pixels: the number 1, the model, its slopes along x and y, and the image.
enum { ONE, MODEL, SLOPE_X, SLOPE_Y, IMAGE, VALUES };
#define SUMS (VALUES * (VALUES + 1) / 2)
#define SUM(a, b) ((b) * ((b) + 1) / 2 + (a)) // a <= b

// Of each work-group and each plane. Pixels within `margin` of an edge do not count, nor those that are not
// finite or whose neighbours are not.
kernel void find_shift_sums(IN(images), IN(models), global tomo_sum *restrict found, const uint width,
                            const uint height, const uint margin, local tomo_sum *parts) {
    const uint z = get_global_id(1);
    const ulong plane = z * (ulong)width * height;
    // Slopes need both neighbours; along a single row or column there are none.
    const uint side_x = width < 3 ? 0 : max(margin, 1u), side_y = height < 3 ? 0 : max(margin, 1u);
    const uint columns = width - 2 * side_x, rows = height - 2 * side_y;
    tomo_sum sums[SUMS];
    for (uint s = 0; s < SUMS; s++)
        sums[s] = (tomo_sum)0;
    for (uint i = get_global_id(0); i < columns * rows; i += get_global_size(0)) {
        const ulong at = plane + (ulong)(i / columns + side_y) * width + i % columns + side_x;
        float values[VALUES];
        values[ONE] = 1.0f;
        values[MODEL] = LOAD(models, at);
        values[SLOPE_X] = side_x ? (LOAD(models, at + 1) - LOAD(models, at - 1)) / 2.0f : 0.0f;
        values[SLOPE_Y] = side_y ? (LOAD(models, at + width) - LOAD(models, at - width)) / 2.0f : 0.0f;
        values[IMAGE] = LOAD(images, at);
        const bool is_finite = isfinite(values[MODEL] + values[SLOPE_X] + values[SLOPE_Y] + values[IMAGE]);
        for (uint b = 0; b < VALUES; b++)
            for (uint a = 0; a <= b; a++)
                sums[SUM(a, b)] = tomo_add(sums[SUM(a, b)], is_finite ? values[a] * values[b] : 0.0f);
    }
    for (uint s = 0; s < SUMS; s++) {
        const tomo_sum sum = tomo_sum_of_group(parts, sums[s]);
        if (get_local_id(0) == 0)
            found[(z * SUMS + s) * get_num_groups(0) + get_group_id(0)] = sum;
    }
}

// Two numbers for each plane. The image is taken for offset + factor (model - x slope_x - y slope_y). Offset
// and factor are eliminated first.
kernel void find_shift(global const tomo_sum *restrict found, OUT(float, out), const uint groups) {
    const uint z = get_global_id(0);
    tomo_real m[VALUES][VALUES];
    for (uint b = 0; b < VALUES; b++)
        for (uint a = 0; a <= b; a++) {
            tomo_sum sum = (tomo_sum)0;
            for (uint group = 0; group < groups; group++)
                sum = tomo_merge(sum, found[(z * SUMS + SUM(a, b)) * groups + group]);
            m[a][b] = m[b][a] = tomo_total(sum);
        }
    const tomo_real little = 1e-6f;
    for (uint k = ONE; k <= MODEL; k++)
        for (uint b = k + 1; b < VALUES; b++)
            for (uint a = k + 1; a < VALUES; a++)
                m[a][b] -= m[k][k] > 0 ? m[a][k] * m[k][b] / m[k][k] : 0;
    const tomo_real xx = m[SLOPE_X][SLOPE_X], yy = m[SLOPE_Y][SLOPE_Y], xy = m[SLOPE_X][SLOPE_Y],
                    x = m[SLOPE_X][IMAGE], y = m[SLOPE_Y][IMAGE], both = xx * yy - xy * xy;
    // Along a direction without slopes nothing is found.
    const bool has_x = xx > little * yy, has_y = yy > little * xx, has_both = both > little * xx * yy;
    const tomo_real along_x = has_both ? (yy * x - xy * y) / both
                              : has_x  ? x / xx
                                       : 0,
                    along_y = has_both          ? (xx * y - xy * x) / both
                              : has_y && !has_x ? y / yy
                                                : 0;
    const tomo_real of_model =
        m[MODEL][MODEL] > 0
            ? (m[MODEL][IMAGE] - along_x * m[MODEL][SLOPE_X] - along_y * m[MODEL][SLOPE_Y]) / m[MODEL][MODEL]
            : 0;
    AT(out, 2 * z) = of_model > 0 ? -along_x / of_model : 0;
    AT(out, 2 * z + 1) = of_model > 0 ? -along_y / of_model : 0;
}
