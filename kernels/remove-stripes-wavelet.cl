// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The first and the last step of kernels/wavelet.cl, which see the sinogram itself.

#include "wavelet.h"

#define means_T float

// Means of columns without any become that of the nearest one, the left one first; 0 where no column has one.
kernel void wavelet_fill(IN(means), OUT(float, filled)) {
    const int x = get_global_id(0), width = get_global_size(0);
    const ulong line = get_global_id(1) * (ulong)width;
    float value = AT(means, line + x);
    for (int d = 1; d < width && isnan(value); d++) {
        value = x - d >= 0 ? AT(means, line + x - d) : NAN;
        if (isnan(value) && x + d < width)
            value = AT(means, line + x + d);
    }
    AT(filled, line + x) = isnan(value) ? 0.0f : value;
}

// Of the padded sinogram: the rows before and behind are means, or 0, and the columns beside it its edges.
kernel void wavelet_halve_views_first(IN(in), IN(means), OUT(float, coarse), constant float *taps, const int width,
                                      const int height, const int columns, const int rows, const int left,
                                      const int above, const int has_means) {
    const uint z = get_global_id(2);
    const ulong line = z * (ulong)columns;
#define ROW(place) int row = place - above
#define COLUMN(x) clamp((x)-left, 0, columns - 1)
#define OUTSIDE(x) (has_means ? AT(means, line + COLUMN(x)) : 0.0f)
#define INSIDE(x) LOAD(in, tomo_index(COLUMN(x), row, z, columns, rows))
#define FINITE(value, x) (isfinite(value) ? (value) : AT(means, line + COLUMN(x)))
#define VALUE(x) (row < 0 || row >= rows ? OUTSIDE(x) : FINITE(INSIDE(x), x))
    HALVE_VIEWS(width, height, z, ROW, VALUE);
#undef ROW
#undef VALUE
}

// The sinogram without its stripes.
kernel void wavelet_subtract(IN(in), IN(image), OUT(float, out), constant float *taps, const int width,
                             const int halved, const int left, const int above) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const ulong at = tomo_index(x, y, z, get_global_size(0), get_global_size(1));
    const int padded_x = x + left, padded_y = y + above;
    const float value = LOAD(in, at);
    DOUBLED(sum, padded_x, padded_y, z, width, halved);
    AT(out, at) = isfinite(value) ? value - sum : value;
}
