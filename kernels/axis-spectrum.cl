// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define MOST_ROWS 8
#define CANDIDATES 8
#define LEFT_OUT 4

// `ViewBetween` of axis-search.hpp.
typedef struct {
    uint rows[MOST_ROWS];
    float weights[MOST_ROWS];
} view_between;

// The views of half a turn within a window with soft edges, and zeros for the other half.
kernel void spectrum_views(IN(in), OUT(float2, padded), global const view_between *restrict views, const uint width,
                           const uint height, const float from, const float to, const float fade) {
    const uint x = get_global_id(0), y = get_global_id(1), columns = get_global_size(0);
    float sum = 0;
    if (x < width && y < get_global_size(1) / 2) {
        for (uint k = 0; k < MOST_ROWS; k++)
            if (views[y].weights[k] != 0)
                sum += views[y].weights[k] * LOAD(in, (ulong)views[y].rows[k] * width + x);
        const float inside = clamp(fmin(x + 0.5f - from, to - x - 0.5f) / fade, 0.0f, 1.0f);
        sum = isfinite(sum) ? sum * (0.5f - 0.5f * cospi(inside)) : 0.0f;
    }
    AT(padded, (ulong)y * columns + x) = (float2)(sum, 0.0f);
}

// For frequency u + 1 along the columns and v along the angle: the first half, and the mirrored one but for the phase
// of the axis. The latter is the complex conjugate at -v, since it is mirrored, times (-1)^v, since it comes half a
// turn later.
#define spectrum_T float2
kernel void spectrum_terms(IN(spectrum), OUT(float2, terms), const uint columns) {
    const uint u = get_global_id(0), v = get_global_id(1), views = get_global_size(1);
    const float2 a = AT(spectrum, (ulong)v * columns + u + 1);
    const float2 b = AT(spectrum, (ulong)(v > 0 ? 2 * views - v : 0) * columns + u + 1);
    const ulong at = 2 * ((ulong)v * get_global_size(0) + u);
    AT(terms, at) = a;
    AT(terms, at + 1) = v % 2 ? (float2)(-b.x, b.y) : (float2)(b.x, -b.y);
}

// For each candidate and each frequency along the columns: the sum of the magnitudes within the wedge, of every
// `stride`-th row.
#define terms_T float2
kernel void spectrum_sums(IN(terms), OUT(float, sums), global const float *restrict axes, const uint columns,
                          const uint views, const float slope, const uint stride) {
    const uint u = get_global_id(0), block = get_global_id(1), frequencies = columns / 2 - 1;
    if (u >= frequencies)
        return;
    float c[CANDIDATES], s[CANDIDATES], sum[CANDIDATES];
    for (uint k = 0; k < CANDIDATES; k++) {
        // Column x is seen at 2 axis - 1 - x.
        const tomo_real turns = (tomo_real)(u + 1) * (2 * (tomo_real)axes[block * CANDIDATES + k] - 1) / columns;
        const float phase = 2 * (float)(turns - floor(turns));
        c[k] = cospi(phase);
        s[k] = -sinpi(phase);
        sum[k] = 0;
    }
    const uint first = (uint)((float)(u + 1) * slope) + LEFT_OUT;
    for (uint v = first; v < views; v += stride) {
        const ulong at = 2 * ((ulong)v * frequencies + u);
        const float2 a = AT(terms, at), b = AT(terms, at + 1);
        for (uint k = 0; k < CANDIDATES; k++) {
            const float x = a.x + c[k] * b.x - s[k] * b.y, y = a.y + c[k] * b.y + s[k] * b.x;
            sum[k] += sqrt(x * x + y * y);
        }
    }
    for (uint k = 0; k < CANDIDATES; k++)
        AT(sums, (ulong)(block * CANDIDATES + k) * frequencies + u) = sum[k];
}
