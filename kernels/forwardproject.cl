// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projection with a work-item for each ray.
#include "forwardproject-rays.h"

#define direct_T float
#define turned_T float

kernel void pad_slice(IN(slices), OUT(float, out), const uint width, const uint height) {
    const uint column = get_global_id(0), y = get_global_id(1), z = get_global_id(2), x = column - MARGIN;
    AT(out, tomo_index(column, y, z, get_global_size(0), height)) =
        x < width ? LOAD(slices, tomo_index(x, y, z, width, height)) : 0.0f;
}

kernel void turn_slice(IN(slices), OUT(float, out), const uint width, const uint height) {
    const uint column = get_global_id(0), x = get_global_id(1), z = get_global_id(2), y = column - MARGIN;
    AT(out, tomo_index(column, x, z, get_global_size(0), width)) =
        y < height ? LOAD(slices, tomo_index(x, y, z, width, height)) : 0.0f;
}

kernel void forwardproject(IN(direct), IN(turned), OUT(float, out), global const Rays *restrict angles,
                           const uint width, const uint height, const uint columns, const uint number) {
    const uint column = get_global_id(0), angle = get_global_id(1), z = get_global_id(2);
    if (column >= columns || angle >= number)
        return;
    const Rays rays = angles[angle];
    const int lines = rays.is_turned ? width : height, length = rays.is_turned ? height : width;
    const ulong pitch = length + 2 * MARGIN;
    global const float *slice =
        (rays.is_turned ? &AT(turned, z * lines * pitch) : &AT(direct, z * lines * pitch)) + MARGIN;

    const long first_position = rays.start + column * rays.per_column;
    const int2 inside = lines_inside(&rays, first_position, lines, length);
    int first = inside.x;
    const int end = inside.y;
    long at = first_position + first * rays.per_line;
    float sum = 0.0f;
    while (first < end) {
        float part = 0.0f; // sums of sums lose less
        for (const int stop = min(first + 64, end); first < stop; first++, at += rays.per_line) {
            const int k = clamp((int)(at >> 32), -MARGIN, length);
            const float fraction = (uint)at * 0x1p-32f;
            global const float *sample = slice + first * pitch + k;
            part += sample[0] + fraction * (sample[1] - sample[0]);
        }
        sum += part;
    }
    AT(out, tomo_index(column, angle, z, columns, number)) = sum * rays.weight;
}
