// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sampling.h"
TOMO_SAMPLER(in)

// The centre is a border between pixels and a fraction of one. `coefficients` are those of the polynomial less 1: it gives
// how far a place moves, which is little beside the width of the image, so a float has bits enough for it.
kernel void correct_distortion(IN(in), OUT(float, out), global const float *restrict coefficients, const uint count,
                               const int center_x, const float center_x_fraction, const int center_y,
                               const float center_y_fraction, const int width, const int height, const int first_row,
                               const int row_step) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const int row = first_row + (int)j * row_step;
    const float x = (float)((int)i - center_x) + (0.5f - center_x_fraction);
    const float y = (float)(row - center_y) + (0.5f - center_y_fraction);
    const float r = hypot(x, y);
    float factor = 0.0f;
    for (uint k = count; k > 0; k--)
        factor = factor * r + coefficients[k - 1];
    AT(out, tomo_index(i, j, z, get_global_size(0), get_global_size(1))) =
        in_sample(in_base, in_at + tomo_index(0, 0, z, width, height), width, height,
                  tomo_coordinate((int)i, clamp(x * factor, -TOMO_FAR, TOMO_FAR)),
                  tomo_coordinate(row, clamp(y * factor, -TOMO_FAR, TOMO_FAR)));
}
