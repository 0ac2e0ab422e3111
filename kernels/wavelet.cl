// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Vertical details of a wavelet transform, near the frequency 0 along the views. The transform is linear and is undone
// exactly, so they alone are transformed back and subtracted; the other details are not needed. They lie as rows of
// complex samples along the views, two columns to a row: their spectra are changed by a real and even response.
//
// One program serves all formats of sinograms, because no name of an input of the element stands here.

#include "wavelet.h"

#define details_T float2
#define coarse_T float

kernel void wavelet_halve_views(IN(image), OUT(float, coarse), constant float *taps, const int width,
                                const int height) {
    const uint z = get_global_id(2);
#define ROW(place) ulong row = tomo_index(0, place, z, width, height)
#define VALUE(x) AT(image, row + (x))
    HALVE_VIEWS(width, height, z, ROW, VALUE);
}

// From an image whose rows are halved already: that of half the columns, and the details between both. `taps` are those
// of the low pass; the high pass is the same, backwards and with alternating signs.
kernel void wavelet_halve_columns(IN(image), OUT(float, coarse), OUT(float2, details), constant float *taps,
                                  const int width, const int height) {
    const int halved = (width + LENGTH - 1) / 2, pairs = (halved + 1) / 2;
    const int first = get_global_id(0) * 2 * LANES, y = get_global_id(1), z = get_global_id(2);
    if (first >= halved || y >= height)
        return;
    const ulong row = tomo_index(0, y, z, width, height);
    float value[4 * LANES + LENGTH];
    for (int i = 0; i < 4 * LANES - 2 + LENGTH; i++)
        value[i] = AT(image, row + mirrored(2 * first + 2 - LENGTH + i, width));
    float low[2 * LANES], high[2 * LANES];
    for (int k = 0; k < 2 * LANES; k++)
        low[k] = high[k] = 0.0f;
    for (int tap = 0; tap < LENGTH; tap++) {
        const float mirror = tap % 2 ? -taps[LENGTH - 1 - tap] : taps[LENGTH - 1 - tap], own = taps[tap];
        for (int k = 0; k < 2 * LANES; k++) {
            low[k] = fma(own, value[2 * k + tap], low[k]);
            high[k] = fma(mirror, value[2 * k + tap], high[k]);
        }
    }
    for (int k = 0; k < 2 * LANES; k++)
        if (first + k < halved)
            AT(coarse, tomo_index(first + k, y, z, halved, height)) = low[k];
    for (int k = 0; k < 2 * LANES; k += 2)
        if (first + k < halved)
            AT(details, tomo_index(y, (first + k) / 2, z, height, pairs)) =
                (float2)(high[k], first + k + 1 < halved ? high[k + 1] : 0.0f);
}

// `response` is that at each frequency along the views.
kernel void wavelet_keep_stripes(OUT(float2, details), global const float *restrict response) {
    const uint k = get_global_id(0);
    AT(details, get_global_id(1) * (ulong)get_global_size(0) + k) *= response[k];
}

// The columns of an image from those of the coarse one, where there is one, and the details.
kernel void wavelet_double_columns(IN(coarse), IN(details), OUT(float, image), constant float *taps, const int width,
                                   const int height, const int has_coarse) {
    const int halved = (width + LENGTH - 1) / 2, pairs = (halved + 1) / 2;
    const int first = get_global_id(0) * 2 * LANES, y = get_global_id(1), z = get_global_id(2);
    if (first >= width || y >= height)
        return;
    float low[LANES + LENGTH / 2], high[LANES + LENGTH / 2];
    for (int i = 0; i < LANES - 1 + LENGTH / 2; i++) {
        const int k = min(first / 2 + i, halved - 1);
        const float2 pair = AT(details, tomo_index(y, k / 2, z, height, pairs));
        high[i] = k % 2 ? pair.y : pair.x;
        low[i] = has_coarse ? AT(coarse, tomo_index(k, y, z, halved, height)) : 0.0f;
    }
    for (int odd = 0; odd < 2; odd++) {
        float sum[LANES];
        for (int k = 0; k < LANES; k++)
            sum[k] = 0.0f;
        for (int t = 0; t < LENGTH / 2; t++) {
            const int tap = LENGTH - 2 - 2 * t + odd;
            const float own = taps[tap], mirror = odd ? -taps[LENGTH - 1 - tap] : taps[LENGTH - 1 - tap];
            for (int k = 0; k < LANES; k++)
                sum[k] += own * low[k + t] + mirror * high[k + t];
        }
        for (int k = 0; k < LANES; k++)
            if (first + 2 * k + odd < width)
                AT(image, tomo_index(first + 2 * k + odd, y, z, width, height)) = sum[k];
    }
}

kernel void wavelet_double_views(IN(image), OUT(float, fine), constant float *taps) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int width = get_global_size(0), height = get_global_size(1), halved = (height + LENGTH - 1) / 2;
    DOUBLED(sum, x, y, z, width, halved);
    AT(fine, tomo_index(x, y, z, width, height)) = sum;
}
