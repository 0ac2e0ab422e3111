// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The random walker on voxels. A voxel has links to its six neighbours; a link's weight is kept at the voxel before it,
// 0 where there is none. A voxel with a label has a value that is known, and is 0 as part of all vectors.

#include "group-sum.h"

#include "rows.h"

#define PLACE                                                                                                           \
    const uint x = i % width, y = i / width % height, z = i / ((ulong)width * height);                                  \
    const ulong plane = (ulong)width * height
#define SIZE const uint width, const uint height, const uint depth

inline float squared(const float difference) { return isfinite(difference) ? difference * difference : 0.0f; }

// Parts of the sum of all squared differences between neighbours.
kernel void differences(global const float *values, global tomo_sum *parts, const uint rows, SIZE) {
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_ROWS {
        PLACE;
        const float value = values[i];
        float all = 0.0f;
        if (x + 1 < width)
            all += squared(values[i + 1] - value);
        if (y + 1 < height)
            all += squared(values[i + width] - value);
        if (z + 1 < depth)
            all += squared(values[i + plane] - value);
        sum = tomo_add(sum, (tomo_real)all);
    }
    FINISH_PARTS(sum)
}

kernel void mean_of_parts(global const tomo_sum *parts, const uint number, const float count, global float *mean) {
    tomo_sum sum = (tomo_sum)(0.0f);
    for (uint i = 0; i < number; i++)
        sum = tomo_merge(sum, parts[i]);
    *mean = (float)tomo_total(sum) / count;
}

// Over an edge the walker hardly goes, but never not at all.
#define LEAST 1e-6f

inline float weight_of(const float difference, const float variance) {
    if (!isfinite(difference))
        return LEAST;
    return variance > 0.0f ? exp(-0.5f * difference * difference / variance) + LEAST : difference == 0.0f ? 1.0f : LEAST;
}

kernel void weigh(global const float *values, global float *to_right, global float *down, global float *deeper, global const float *variance,
                  const uint rows, SIZE) {
    ROW;
    PLACE;
    const float value = values[i];
    to_right[at] = x + 1 < width ? weight_of(values[i + 1] - value, *variance) : 0.0f;
    down[at] = y + 1 < height ? weight_of(values[i + width] - value, *variance) : 0.0f;
    deeper[at] = z + 1 < depth ? weight_of(values[i + plane] - value, *variance) : 0.0f;
}

kernel void plant_labels(global const float *planted, const uint labelled, global ushort *seeds, const uint rows) {
    ROW;
    const float label = i < labelled ? planted[i] : 0.0f;
    seeds[at] = label > 0.0f ? (ushort)label : 0;
}

#define WEIGHTS global const float *to_right, global const float *down, global const float *deeper, global const ushort *seeds
// The sum over the neighbours j of the weight times TERM(j).
#define AROUND(TERM)                                                                                                    \
    ((x > 0 ? to_right[i - 1] * TERM(i - 1) : 0.0f) + (x + 1 < width ? to_right[i] * TERM(i + 1) : 0.0f) +             \
     (y > 0 ? down[i - width] * TERM(i - width) : 0.0f) + (y + 1 < height ? down[i] * TERM(i + width) : 0.0f) +        \
     (z > 0 ? deeper[i - plane] * TERM(i - plane) : 0.0f) + (z + 1 < depth ? deeper[i] * TERM(i + plane) : 0.0f))
#define ONE(j) 1.0f

kernel void sum_weights(WEIGHTS, global float *diagonal, const uint rows, SIZE) {
    ROW;
    PLACE;
    diagonal[at] = AROUND(ONE);
}

kernel void right_of_label(WEIGHTS, const uint label, global float *right, const uint rows, SIZE) {
    ROW;
    PLACE;
#define IS_LABEL(j) (seeds[j] == label ? 1.0f : 0.0f)
    right[at] = seeds[i] ? 0.0f : AROUND(IS_LABEL);
}

kernel void apply_walk(WEIGHTS, global const float *diagonal, global const float *from, global float *to,
                       global tomo_sum *parts, const uint rows, SIZE) {
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_ROWS {
        PLACE;
#define FROM(j) from[j]
        const float value = seeds[i] ? 0.0f : diagonal[i] * from[i] - AROUND(FROM);
        to[i] = value;
        sum = tomo_add(sum, (tomo_real)value * from[i]);
    }
    FINISH_PARTS(sum)
}

kernel void divide_by_weights(global const float *diagonal, global const float *from, global float *to, const uint rows) {
    ROW;
    to[at] = diagonal[at] > 0.0f ? from[at] / diagonal[at] : 0.0f;
}

// `best` is the largest probability so far; `left` is left over for those to come. The last one takes that.
kernel void choose_label(global const float *probability, global const ushort *seeds, const uint label, const uint is_last,
                         global float *best, global float *left, global ushort *chosen, const uint rows) {
    ROW;
    const float mine = is_last ? left[at] : probability[at];
    if (seeds[at]) {
        chosen[at] = seeds[at];
    } else if (mine > best[at]) {
        best[at] = mine;
        chosen[at] = label;
    }
    left[at] -= mine;
}

kernel void give_slice(global const ushort *chosen, const ulong begin, OUT(float, out), const uint rows) {
    ROW;
    AT(out, at) = chosen[begin + at];
}
