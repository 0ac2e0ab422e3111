// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One level of a wavelet transform along the views. LENGTH is that of the filters, LANES the number of columns of a
// work-item. Lines go on as their mirror images.

#define image_T float

#define RUN 4 // rows of a work-item, which share what they read

// Continues a line of n samples.
inline int mirrored(const int i, const int n) { return i >= 0 && i < n ? i : tomo_address(i, n, 4); }

// One column of the coarse image of half the rows, RUN rows of it. ROW(r) is the place of a row, VALUE(place, column) a
// sample.
#define HALVE_VIEWS(width, height, plane, ROW, VALUE)                                                        \
    const int x = get_global_id(0) * LANES, halved = (height + LENGTH - 1) / 2;                              \
    const int first = get_global_id(1) * RUN;                                                                \
    const int lanes = LANES == 1 ? 1 : min(LANES, width - x);                                                \
    float sum[RUN][LANES];                                                                                   \
    for (int k = 0; k < RUN; k++)                                                                            \
        for (int lane = 0; lane < LANES; lane++)                                                             \
            sum[k][lane] = 0.0f;                                                                             \
    for (int i = 0; i < LENGTH + 2 * (RUN - 1); i++) {                                                       \
        const ROW(mirrored(2 * first + 2 - LENGTH + i, height));                                             \
        float value[LANES];                                                                                  \
        for (int lane = 0; lane < lanes; lane++)                                                             \
            value[lane] = VALUE(x + lane);                                                                   \
        for (int k = 0; k < RUN; k++) {                                                                      \
            const int tap = i - 2 * k;                                                                       \
            if (tap >= 0 && tap < LENGTH)                                                                    \
                for (int lane = 0; lane < lanes; lane++)                                                     \
                    sum[k][lane] = fma(taps[tap], value[lane], sum[k][lane]);                                \
        }                                                                                                    \
    }                                                                                                        \
    for (int k = 0; k < RUN; k++)                                                                            \
        if (first + k < halved)                                                                              \
            for (int lane = 0; lane < lanes; lane++)                                                         \
                AT(coarse, tomo_index(x + lane, first + k, plane, width, halved)) = sum[k][lane]

// Sample x of row y, from rows of half the number.
#define DOUBLED(sum, x, y, z, width, halved)                                                                 \
    float sum = 0.0f;                                                                                        \
    for (int t = 0; t < LENGTH / 2; t++)                                                                     \
    sum = fma(taps[LENGTH - 2 - 2 * t + (y) % 2], AT(image, tomo_index(x, (y) / 2 + t, z, width, halved)), sum)
