// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Two rows of an image make one of complex samples: the filter's response in real space is real, so that real
// and imaginary part stay apart, but for rounding: an image's values must not depend on the images beside it.
// Only what is not finite would go from one row into the other; rows with such
// samples are taken out before and are NaN in the end, as the transform alone would have them.

#include "edge-padding.h"

#define bad_T uchar

// The first row of a pair, of images of `height` rows.
static uint first_row(const uint pair, const uint height) {
    const uint pairs = (height + 1) / 2;
    return pair / pairs * height + 2 * (pair % pairs);
}

static bool has_second_row(const uint pair, const uint height) {
    return 2 * (pair % ((height + 1) / 2)) + 1 < height;
}

#ifndef LENGTH

kernel void ramp_check(IN(in), OUT(uchar, bad), const uint width) {
    const uint row = get_global_id(0);
    bool finite = true;
    for (uint c = 0; c < width; c++)
        finite &= isfinite(LOAD(in, (ulong)row * width + c)) != 0;
    AT(bad, row) = !finite;
}

kernel void ramp_pad(IN(in), IN(bad), OUT(float2, pairs), const uint width, const uint height) {
    const uint x = get_global_id(0), padded = get_global_size(0), pair = get_global_id(1);
    const uint a = first_row(pair, height), b = a + 1;
    const uint column = padded_source(x, width, padded);
    float2 value = (float2)(0.0f);
    if (!AT(bad, a))
        value.x = LOAD(in, (ulong)a * width + column);
    if (has_second_row(pair, height) && !AT(bad, b))
        value.y = LOAD(in, (ulong)b * width + column);
    AT(pairs, pair * (ulong)padded + x) = value;
}

kernel void ramp_multiply(OUT(float2, pairs), global const float2 *response) {
    const uint x = get_global_id(0);
    const ulong at = get_global_id(1) * (ulong)get_global_size(0) + x;
    const float2 v = AT(pairs, at), h = response[x];
    AT(pairs, at) = (float2)(v.x * h.x - v.y * h.y, v.x * h.y + v.y * h.x);
}

#define pairs_T float2
kernel void ramp_crop(IN(pairs), IN(bad), OUT(float, out), const uint padded, const uint height) {
    const uint x = get_global_id(0), row = get_global_id(1), y = row % height;
    const uint pair = row / height * ((height + 1) / 2) + y / 2;
    const float2 v = AT(pairs, pair * (ulong)padded + x);
    AT(out, row * (ulong)get_global_size(0) + x) = AT(bad, row) ? NAN : y % 2 ? v.y : v.x;
}

#else

#include "group-fft.h"

// Two flags come as local memory, too.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
ramp_filter(IN(in), OUT(float, out), global const float2 *response, global const float2 *circle, const uint width,
            const uint height, local float2 *shared, local int *bad) {
    const uint item = get_local_id(0), a = first_row(get_group_id(0), height), b = a + 1;
    const bool has_b = has_second_row(get_group_id(0), height);
    if (item == 0)
        bad[0] = bad[1] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);

    float2 v[16];
    bool finite_a = true, finite_b = true;
#pragma unroll
    for (int i = 0; i < 16; i++) {
        const uint column = padded_source(item + i * ITEMS, width, LENGTH);
        v[i].x = LOAD(in, (ulong)a * width + column);
        v[i].y = has_b ? LOAD(in, (ulong)b * width + column) : 0.0f;
        finite_a &= isfinite(v[i].x) != 0;
        finite_b &= isfinite(v[i].y) != 0;
    }
    if (!finite_a)
        bad[0] = 1;
    if (!finite_b)
        bad[1] = 1;
    barrier(CLK_LOCAL_MEM_FENCE);
    const bool bad_a = bad[0], bad_b = bad[1];
#pragma unroll
    for (int i = 0; i < 16; i++)
        v[i] = (float2)(bad_a ? 0.0f : v[i].x, bad_b ? 0.0f : v[i].y);

    transform(v, item, circle, shared);
#pragma unroll
    for (int i = 0; i < 16; i++)
        v[i] = times(v[i], response[item + i * ITEMS]);

    transform_back(v, item, circle, shared);

#pragma unroll
    for (int i = 0; i < 16; i++) {
        const uint x = item + i * ITEMS;
        if (x < width) {
            AT(out, (ulong)a * width + x) = bad_a ? NAN : v[i].x;
            if (has_b)
                AT(out, (ulong)b * width + x) = bad_b ? NAN : v[i].y;
        }
    }
}

#endif
