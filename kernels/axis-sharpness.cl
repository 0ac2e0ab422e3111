// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define CANDIDATES 4

// Rows, continued by their edge values, for the transform.
kernel void sharpness_pad(IN(in), OUT(float2, padded), const uint width) {
    const uint x = get_global_id(0), y = get_global_id(1), columns = get_global_size(0);
    const uint from = x < width ? x : x < width + (columns - width) / 2 ? width - 1 : 0;
    const float v = LOAD(in, (ulong)y * width + from);
    AT(padded, (ulong)y * columns + x) = (float2)(isfinite(v) ? v : 0.0f, 0.0f);
}

kernel void sharpness_filter(OUT(float2, padded), global const float2 *restrict response) {
    const uint x = get_global_id(0);
    AT(padded, get_global_id(1) * (ulong)get_global_size(0) + x) *= response[x].x;
}

#define padded_T float2
kernel void sharpness_rows(IN(padded), OUT(float, rows), const uint columns) {
    const uint x = get_global_id(0), y = get_global_id(1);
    AT(rows, (ulong)y * get_global_size(0) + x) = AT(padded, (ulong)y * columns + x).x;
}

// Points of slices, which lie at `points` relative to the axis `middle`, for each candidate: the views' rows where they
// see the point, beyond the last column its value. The points move with the object, which moves as the axis does. `views`
// are cosine, sine, weight, and how far the view sees the object move for each pixel of the axis.
#define rows_T float
kernel void sharpness_slices(IN(rows), OUT(float, slices), global const float2 *restrict points,
                             global const float4 *restrict views, global const float *restrict axes,
                             const float middle, const uint number, const uint width, const uint count, const uint stride) {
    const uint point = get_global_id(0), block = get_global_id(1);
    if (point >= number)
        return;
    const float2 at = points[point];
    float sum[CANDIDATES] = {0}, axis[CANDIDATES], moved[CANDIDATES];
    for (uint k = 0; k < CANDIDATES; k++) {
        axis[k] = axes[block * CANDIDATES + k] - 0.5f;
        moved[k] = axes[block * CANDIDATES + k] - middle;
    }
    for (uint view = 0; view < count; view += stride) {
        const float4 v = views[view];
        const float away = at.x * v.x + at.y * v.y;
        const ulong row = (ulong)view * width;
        for (uint k = 0; k < CANDIDATES; k++) {
            const float u = clamp(away + axis[k] - v.w * moved[k], 0.0f, width - 1.0f);
            const uint column = min((uint)u, width - 2);
            const float f = u - column;
            const float a = AT(rows, row + column), b = AT(rows, row + column + 1);
            sum[k] += v.z * (a + f * (b - a));
        }
    }
    for (uint k = 0; k < CANDIDATES; k++)
        AT(slices, (ulong)(block * CANDIDATES + k) * number + point) = sum[k];
}
