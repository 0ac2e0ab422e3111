// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rows of sinograms to samples of slices' spectra, and the transpose; fourier-backproject.cl has the formulas.

#include "edge-padding.h"
#include "fourier-padding.h"
#include "fourier-samples.h"

// One view: tomo::FourierView of the host.
typedef struct {
    long axis; // column that sees the middle of the slice, modulo the length, 24 bits behind the point
    float weight;
    uint unused;
} View;

static float2 complex_product(const float2 a, const float2 b) {
    return (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// S / Z, for all k >= 0 and -k.
kernel void fourier_factors(global const View *views, global const float2 *response, global float2 *factors,
                            const uint length) {
    const uint k = get_global_id(0), p = get_global_id(1);
    const long circle = (long)length << 24;
    const float turns = (float)(k * views[p].axis % circle) / (float)circle;
    const float weight = views[p].weight * (k == length / 2 ? 0.5f : 1.0f);
    float cosine;
    const float sine = sincos(2.0f * M_PI_F * turns, &cosine);
    const float2 phase = weight * (float2)(cosine, sine);
    factors[SAMPLE(p, k)] = complex_product(response[k], phase);
    factors[SAMPLE(p, k) + 1] = complex_product(response[k == 0 ? 0 : length - k], (float2)(phase.x, -phase.y));
}

// Rows of the views from `first` on, two slices as one.
kernel void fourier_rows(IN(sinograms), global float2 *rows, global uint *is_bad, const uint first, const uint width,
                         const uint views, const uint slices, const uint length, const uint continues_edges) {
    const uint x = get_global_id(0), i = get_global_id(1), pair = get_global_id(2), chunk = get_global_size(1);
    rows[((ulong)pair * chunk + i) * length + x] =
        padded_sample(sinograms_base, sinograms_at, is_bad, x, first + i, pair, width, views, slices, length, continues_edges);
}

#ifdef IN_GROUPS

// A work-group of 16 x PAIRS turns 16 k of all pairs.
kernel void fourier_samples(global const float2 *rows, global const float2 *factors, global float2 *samples, const uint first,
                            const uint views, const uint length) {
    local float2 turned[2][16][PAIRS + 1];
    const uint item = get_local_id(0), pair = get_local_id(1), i = get_global_id(2), chunk = get_global_size(2);
    const uint p = first + i, block = get_group_id(0) * 16;
    if (p >= views)
        return;
    const uint read = block + item;
    if (read <= length / 2) {
        const ulong row = ((ulong)pair * chunk + i) * length;
        turned[0][item][pair] = rows[row + read];
        turned[1][item][pair] = rows[row + (read == 0 ? 0 : length - read)];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint linear = pair * 16 + item, column = linear % PAIRS, at = linear / PAIRS, k = block + at;
    if (k > length / 2)
        return;
    for (uint sign = 0; sign < 2; sign++)
        samples[(ulong)(SAMPLE(p, k) + sign) * PAIRS + column] =
            complex_product(turned[sign][at][column], factors[SAMPLE(p, k) + sign]);
}

#else

kernel void fourier_samples(global const float2 *rows, global const float2 *factors, global float2 *samples, const uint first,
                            const uint views, const uint length) {
    const uint k = get_global_id(0), i = get_global_id(1), chunk = get_global_size(1), p = first + i;
    if (p >= views)
        return;
    const float2 factor = factors[SAMPLE(p, k)], mirrored = factors[SAMPLE(p, k) + 1];
    global float2 *to = samples + (ulong)SAMPLE(p, k) * PAIRS;
    const uint opposite = k == 0 ? 0 : length - k;
    for (uint pair = 0; pair < PAIRS; pair++) {
        const ulong row = ((ulong)pair * chunk + i) * length;
        to[pair] = complex_product(rows[row + k], factor);
        to[PAIRS + pair] = complex_product(rows[row + opposite], mirrored);
    }
}

#endif

// Samples times conj(S / Z), as spectra of rows whose transform is not divided by the length.
#define SPECTRUM(sample, sign, k)                                                                                       \
    (length * complex_product(sample, (float2)(factors[SAMPLE(p, k) + (sign)].x, -factors[SAMPLE(p, k) + (sign)].y)))

// A spectrum's values at k and -k, which are one at both ends.
static void put_pair(global float2 *row, const uint k, const uint length, const float2 here, const float2 there) {
    if (k == 0 || k == length / 2)
        row[k] = k == 0 ? here : here + there;
    else {
        row[k] = here;
        row[length - k] = there;
    }
}

#ifdef IN_GROUPS

kernel void fourier_spectra(global const float2 *samples, global const float2 *factors, global float2 *rows, const uint first,
                            const uint views, const uint length) {
    local float2 turned[2][16][PAIRS + 1];
    const uint item = get_local_id(0), pair = get_local_id(1), i = get_global_id(2), chunk = get_global_size(2);
    const uint p = first + i, block = get_group_id(0) * 16;
    if (p >= views)
        return;
    const uint linear = pair * 16 + item, column = linear % PAIRS, at = linear / PAIRS, read = block + at;
    if (read <= length / 2)
        for (uint sign = 0; sign < 2; sign++)
            turned[sign][at][column] = samples[(ulong)(SAMPLE(p, read) + sign) * PAIRS + column];
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint k = block + item;
    if (k > length / 2)
        return;
    const ulong row = ((ulong)pair * chunk + i) * length;
    const float2 here = SPECTRUM(turned[0][item][pair], 0, k), there = SPECTRUM(turned[1][item][pair], 1, k);
    put_pair(rows + row, k, length, here, there);
}

#else

kernel void fourier_spectra(global const float2 *samples, global const float2 *factors, global float2 *rows, const uint first,
                            const uint views, const uint length) {
    const uint k = get_global_id(0), i = get_global_id(1), chunk = get_global_size(1), p = first + i;
    if (p >= views)
        return;
    global const float2 *from = samples + (ulong)SAMPLE(p, k) * PAIRS;
    for (uint pair = 0; pair < PAIRS; pair++) {
        const ulong row = ((ulong)pair * chunk + i) * length;
        const float2 here = SPECTRUM(from[pair], 0, k), there = SPECTRUM(from[PAIRS + pair], 1, k);
        put_pair(rows + row, k, length, here, there);
    }
}

#endif

// Of the views from `first` on, the columns that the detector has.
kernel void fourier_unpad_rows(global const float2 *rows, OUT(float, out), global const uint *is_bad, const uint first,
                               const uint views, const uint slices, const uint length) {
    const uint x = get_global_id(0), i = get_global_id(1), pair = get_global_id(2);
    const uint width = get_global_size(0), chunk = get_global_size(1), p = first + i;
    if (p >= views)
        return;
    put_sample(out_base, out_at, is_bad, rows[((ulong)pair * chunk + i) * length + x], x, p, pair, width, views, slices);
}
