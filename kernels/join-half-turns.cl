// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define ADDRESSING 2 // the nearest pixel
#include "sampling.h"
TOMO_SAMPLER(in)

#if INTERPOLATION == 0
#define ROW(x, j) in_pixel(in_base, plane, width, height, x.whole + (x.fraction >= 0.5f), j)
#else
#define ROW(x, j) in_in_row(in_base, plane, width, height, x, j)
#endif

// As in gst/tomo/geometry/half-turns.hpp.
typedef struct {
    uint own, before, after;
    float value;
} Row;

// Weight of the pixels that stay where they are: 1 where only they see the sample, 0 where only the other half turn
// does. The weights of a place and of its mirror image at the axis add up to 1.
inline float own_weight(const int column, const int axis, const float axis_fraction, const float slope) {
    return clamp(0.5f - ((float)(column - axis) + (0.5f - axis_fraction)) * slope, 0.0f, 1.0f);
}

// Column c of the field is column c - left of the detector, and its mirror image lies at mirror - c. The axis is that of
// the field, the mirror that of the detector.
kernel void join_half_turns(IN(in), OUT(float, out), global const Row *restrict rows, const int width,
                            const int height, const int left, const int axis, const float axis_fraction,
                            const float slope, const int mirror, const float mirror_fraction) {
    const int x = get_global_id(0);
    const uint y = get_global_id(1), z = get_global_id(2);
    const Row row = rows[y];
    const ulong plane = in_at + tomo_index(0, 0, z, width, height);
    const float weight = own_weight(x, axis, axis_fraction, slope);
    float value = 0.0f;
    if (weight > 0.0f)
        value = weight * in_pixel(in_base, plane, width, height, x - left, row.own);
    if (weight < 1.0f) {
        const Coordinate mirrored = tomo_coordinate(mirror - x, mirror_fraction);
        float other = ROW(mirrored, row.before);
        if (row.value > 0.0f)
            other = tomo_between(other, ROW(mirrored, row.after), row.value);
        value += (1.0f - weight) * other;
    }
    AT(out, tomo_index(x, y, z, get_global_size(0), get_global_size(1))) = value;
}

kernel void weigh_half_turns(IN(in), OUT(float, out), global const Row *restrict rows, const int width,
                             const int height, const int left, const int axis, const float axis_fraction,
                             const float slope) {
    const int x = get_global_id(0), column = x - left;
    const uint y = get_global_id(1), z = get_global_id(2);
    const Row row = rows[y];
    const float weight = own_weight(x, axis, axis_fraction, slope);
    AT(out, tomo_index(x, y, z, get_global_size(0), get_global_size(1))) =
        weight > 0.0f && column >= 0 && column < width
            ? weight * row.value * LOAD(in, tomo_index(column, row.own, z, width, height))
            : 0.0f;
}
