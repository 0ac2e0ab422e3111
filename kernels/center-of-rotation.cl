// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// For every sum of columns, of each first row of the pairs and the second one mirrored, where they overlap: half the
// variance of their difference, and the variance of the rows themselves.
kernel void mirror_distance(IN(in), OUT(float2, variances), global const uint2 *restrict pairs, const uint count,
                            const uint width, const uint height) {
    const uint sum = get_global_id(0), z = get_global_id(1), sums = 2 * width - 1;
    if (sum >= sums)
        return;
    const uint first = sum < width ? 0 : sum - width + 1, end = min(sum, width - 1) + 1;
    // Relative to a sample of the row: variances are differences of sums.
    tomo_real d = 0, dd = 0, a = 0, b = 0, aa = 0, bb = 0;
    const tomo_real origin = LOAD_REAL(in, tomo_index(width / 2, pairs[0].x, z, width, height));
    for (uint p = 0; p < count; p++) {
        const ulong row_a = tomo_index(0, pairs[p].x, z, width, height);
        const ulong row_b = tomo_index(0, pairs[p].y, z, width, height);
        for (uint x = first; x < end; x++) {
            const tomo_real u = LOAD_REAL(in, row_a + x) - origin, v = LOAD_REAL(in, row_b + sum - x) - origin;
            d += u - v;
            dd += (u - v) * (u - v);
            a += u;
            b += v;
            aa += u * u;
            bb += v * v;
        }
    }
    const tomo_real n = (tomo_real)count * (end - first);
    AT(variances, (ulong)z * sums + sum) =
        (float2)((float)((dd - d * d / n) / (2 * n)), (float)((aa - a * a / n + bb - b * b / n) / (2 * n)));
}
