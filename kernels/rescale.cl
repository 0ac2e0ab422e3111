// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sampling.h"

// Where an output pixel samples one axis. The host makes the table in double precision; float coordinates
// would be too coarse in wide images.
typedef struct {
    uint first, second;
    float fraction; // weight of the second
} Position;

kernel void rescale(IN(in), OUT(float, out), global const Position *restrict columns,
                    global const Position *restrict rows, const uint width, const uint height) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const Position x = columns[i], y = rows[j];
    const ulong above = tomo_index(0, y.first, z, width, height);
    const ulong below = tomo_index(0, y.second, z, width, height);
    const float top = tomo_between(LOAD(in, above + x.first), LOAD(in, above + x.second), x.fraction);
    const float bottom = tomo_between(LOAD(in, below + x.first), LOAD(in, below + x.second), x.fraction);
    AT(out, tomo_index(i, j, z, get_global_size(0), get_global_size(1))) = tomo_between(top, bottom, y.fraction);
}
