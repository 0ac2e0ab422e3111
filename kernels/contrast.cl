// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "order-key.h"

#ifdef cl_khr_fp64
typedef double Real;
#else
typedef float Real;
#endif

#define READ(type, name) global const type *restrict name##_base, const ulong name##_at

#define FOR_EACH_OF_MY_ROWS(y)                                                                               \
    const uint rows = (height + get_global_size(1) - 1) / get_global_size(1);                                \
    const uint first_row = get_global_id(1) * rows;                                                          \
    for (uint y = first_row; y < min(first_row + rows, height); y++)

kernel void contrast_range(READ(float, image), OUT(uint, range), const uint height) {
    const uint x = get_global_id(0), z = get_global_id(2), width = get_global_size(0);
    uint low = 0xffffffffu, high = 0u;
    FOR_EACH_OF_MY_ROWS(y) {
        const float value = AT(image, tomo_index(x, y, z, width, height));
        if (!isfinite(value))
            continue;
        low = min(low, key_of(value));
        high = max(high, key_of(value));
    }
    atomic_min(&AT(range, 2 * z), low);
    atomic_max(&AT(range, 2 * z + 1), high);
}

// From one bin's centre to the next.
static Real bin_width(const float low, const float high, const uint bins) {
    return ((Real)high - (Real)low) / (Real)max(bins - 1, 1u);
}

kernel void contrast_histogram(READ(float, image), READ(uint, range), OUT(uint, histogram), const uint bins,
                               const uint height) {
    const uint x = get_global_id(0), z = get_global_id(2), width = get_global_size(0);
    const float low = value_of(AT(range, 2 * z)), high = value_of(AT(range, 2 * z + 1));
    if (!(low < high) || bins < 2)
        return;
    FOR_EACH_OF_MY_ROWS(y) {
        const float value = AT(image, tomo_index(x, y, z, width, height));
        if (!isfinite(value))
            continue;
        const uint bin = (uint)round(((Real)value - (Real)low) / bin_width(low, high, bins));
        atomic_inc(&AT(histogram, (ulong)z * bins + min(bin, bins - 1)));
    }
}

// Black and white of each plane.
kernel void contrast_levels(READ(uint, range), READ(uint, histogram), const uint bins, OUT(Real, levels),
                            const int remove_high) {
    const uint z = get_global_id(0);
    const float low = value_of(AT(range, 2 * z)), high = value_of(AT(range, 2 * z + 1));
    uint highest = min(1u, bins - 1);
    for (uint i = 2; i + 1 < bins; i++)
        if (AT(histogram, (ulong)z * bins + i) > AT(histogram, (ulong)z * bins + highest))
            highest = i;
    const Real black = bins > 1 && low < high ? (Real)low + highest * bin_width(low, high, bins) : (Real)high;
    AT(levels, 2 * z) = black;
    AT(levels, 2 * z + 1) = remove_high ? high - (high - black) / 2 : high;
}

kernel void contrast(READ(float, image), READ(Real, levels), OUT(float, out), const int remove_high) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const ulong at = tomo_index(x, y, z, get_global_size(0), get_global_size(1));
    const Real black = AT(levels, 2 * z), white = AT(levels, 2 * z + 1);
    const float value = AT(image, at);
    AT(out, at) = isnan(value)     ? value
                  : value >= white ? (remove_high ? 0.0f : 1.0f)
                  : value <= black ? 0.0f
                                   : pow((float)((value - black) / (white - black)), 0.3f);
}
