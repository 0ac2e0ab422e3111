// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sampling.h"
TOMO_SAMPLER(in)

// What a column or a row adds to the place in the input, between pixel centres. The host makes the tables in double
// precision.
typedef struct {
    int x, y;
    float x_fraction, y_fraction;
} Place;

kernel void rotate_plane(IN(in), OUT(float, out), global const Place *restrict columns,
                         global const Place *restrict rows, const int width, const int height) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const Place column = columns[i], row = rows[j];
    AT(out, tomo_index(i, j, z, get_global_size(0), get_global_size(1))) =
        in_sample(in_base, in_at + tomo_index(0, 0, z, width, height), width, height,
                  tomo_coordinate(column.x + row.x, column.x_fraction + row.x_fraction),
                  tomo_coordinate(column.y + row.y, column.y_fraction + row.y_fraction));
}
