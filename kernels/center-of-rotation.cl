// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define MOST_ROWS 8
#define views_T float

// `ViewBetween` of axis-search.hpp.
typedef struct {
    uint rows[MOST_ROWS];
    float weights[MOST_ROWS];
} view_between;

// The views of each plane, as rows of `views`, relative to a sample of the plane: variances are differences of sums.
// With `fills` values that are not finite count as 0.
kernel void mix_views(IN(in), OUT(float, views), global const view_between *restrict mixed, const uint width,
                      const uint height, const int fills) {
    const uint x = get_global_id(0), view = get_global_id(1), z = get_global_id(2);
    const tomo_real middle = LOAD_REAL(in, tomo_index(width / 2, mixed[0].rows[0], z, width, height));
    const tomo_real origin = isfinite(middle) ? middle : 0;
    tomo_real sum = 0;
    for (uint k = 0; k < MOST_ROWS; k++)
        if (mixed[view].weights[k] != 0) {
            const tomo_real value = LOAD_REAL(in, tomo_index(x, mixed[view].rows[k], z, width, height));
            sum += mixed[view].weights[k] * ((fills && !isfinite(value) ? 0 : value) - origin);
        }
    AT(views, tomo_index(x, view, z, width, get_global_size(1))) = (float)sum;
}

// For every sum of columns, of each pair's first view and the second one mirrored, where they overlap: half the
// variance of their difference, and the variance of the views themselves.
kernel void mirror_distance(IN(views), OUT(float2, variances), const uint width) {
    const uint sum = get_global_id(0), sums = 2 * width - 1;
    const ulong pair = get_global_id(1); // of all planes
    if (sum >= sums)
        return;
    const uint first = sum < width ? 0 : sum - width + 1, end = min(sum, width - 1) + 1;
    const ulong row_a = 2 * pair * width, row_b = row_a + width;
    tomo_real d = 0, dd = 0, a = 0, b = 0, aa = 0, bb = 0;
    for (uint x = first; x < end; x++) {
        const tomo_real u = AT(views, row_a + x), v = AT(views, row_b + sum - x);
        d += u - v;
        dd += (u - v) * (u - v);
        a += u;
        b += v;
        aa += u * u;
        bb += v * v;
    }
    const tomo_real n = end - first;
    AT(variances, pair * sums + sum) =
        (float2)((float)((dd - d * d / n) / (2 * n)), (float)((aa - a * a / n + bb - b * b / n) / (2 * n)));
}
