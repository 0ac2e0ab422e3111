// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The mean of all projections, blurred by a Gaussian without the pixels that are not finite. The image goes on as its
// mirror image. `weights` are by distance.

#define rows_T float2
#define factors_T float

// Weighted sums along a row, and the sums of their weights.
kernel void double_flat_field_rows(IN(average), OUT(float2, rows), global const float *restrict weights,
                                   const int radius) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int width = get_global_size(0), height = get_global_size(1);
    const ulong row = tomo_index(0, y, z, width, height);
    float2 sum = (float2)(0.0f);
    for (int d = -radius; d <= radius; d++) {
        const float value = LOAD(average, row + tomo_address(x + d, width, 4)), weight = weights[abs(d)];
        sum += isfinite(value) ? (float2)(weight * value, weight) : (float2)(0.0f);
    }
    AT(rows, row + x) = sum;
}

// The blurred mean, or 1 if `radius` is below 0, over the mean: 1 where one of them is not finite and above 0.
kernel void double_flat_field_factors(IN(rows), IN(average), OUT(float, factors), global const float *restrict weights,
                                      const int radius) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int width = get_global_size(0), height = get_global_size(1);
    const ulong column = tomo_index(x, 0, z, width, height);
    float2 sum = (float2)(radius < 0 ? 1.0f : 0.0f);
    for (int d = -radius; d <= radius; d++)
        sum += weights[abs(d)] * AT(rows, column + (ulong)tomo_address(y + d, height, 4) * width);
    const ulong at = column + (ulong)y * width;
    const float mean = LOAD(average, at), factor = sum.x / sum.y / mean;
    AT(factors, at) = isfinite(factor) && factor > 0.0f && mean > 0.0f ? factor : 1.0f;
}

kernel void double_flat_field(IN(projections), IN(factors), OUT(float, out), const uint planes) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    AT(out, tomo_index(x, y, z, width, height)) = LOAD(projections, tomo_index(x, y, z, width, height)) *
                                                  AT(factors, tomo_index(x, y, z % planes, width, height));
}
