// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sampling.h"
TOMO_SAMPLER(in)

// In pixels, for all, for each row or for each plane: the steps along the table are 0 or 1. The host makes the fractions in double precision.
typedef struct {
    int x, y;
    float x_fraction, y_fraction;
} Displacement;

kernel void shift(IN(in), OUT(float, out), global const Displacement *restrict displacements,
                  const uint step_of_row, const uint step_of_plane, const int width, const int height, const int first_row, const int row_step) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const Displacement by = displacements[j * step_of_row + z * step_of_plane];
    AT(out, tomo_index(i, j, z, get_global_size(0), get_global_size(1))) =
        in_sample(in_base, in_at + tomo_index(0, 0, z, width, height), width, height,
                  tomo_coordinate((int)i + by.x, by.x_fraction),
                  tomo_coordinate(first_row + (int)j * row_step + by.y, by.y_fraction));
}
