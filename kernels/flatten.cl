// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Over the values of a pixel in all planes, one work-item for each pixel.

#include "order-key.h"

kernel void flatten_mean(IN(in), OUT(float, out), const uint depth, const ulong count) {
    const ulong pixel = get_global_id(0), plane = get_global_size(0);
    tomo_sum sum = (tomo_sum)(0.0f);
    for (uint z = 0; z < depth; z++)
        sum = tomo_add(sum, LOAD_REAL(in, z * plane + pixel));
    AT(out, pixel) = (float)(tomo_total(sum) / (tomo_real)count);
}

// `value` where it is further out, or NaN; nothing is further out than NaN.
inline float extreme(const float known, const float value, const int greatest) {
    return isnan(value) || (greatest ? value > known : value < known) ? value : known;
}

kernel void flatten_extreme(IN(in), OUT(float, out), const uint depth, const int greatest) {
    const ulong pixel = get_global_id(0), plane = get_global_size(0);
    float known = LOAD(in, pixel);
    for (uint z = 1; z < depth; z++)
        known = extreme(known, LOAD(in, z * plane + pixel), greatest);
    AT(out, pixel) = known;
}

// For a stream: `out` is what is known so far.
kernel void flatten_extreme_add(IN(in), OUT(float, out), const int greatest) {
    const ulong pixel = get_global_id(0);
    AT(out, pixel) = extreme(AT(out, pixel), LOAD(in, pixel), greatest);
}

// The lower one of the values in the middle is found digit by digit, by counting, so that any number of them takes
// eight passes and no memory.
kernel void flatten_median(IN(in), OUT(float, out), const uint depth) {
    const ulong pixel = get_global_id(0), plane = get_global_size(0);
    bool has_nan = false;
    for (uint z = 0; z < depth; z++)
        has_nan |= (bool)isnan(LOAD(in, z * plane + pixel));
    if (has_nan) {
        AT(out, pixel) = NAN;
        return;
    }

    uint key = 0, known = 0, rank = (depth - 1) / 2, equal = 0;
    for (int shift = 28; shift >= 0; shift -= 4) {
        uint counts[16] = {0};
        for (uint z = 0; z < depth; z++) {
            const uint other = key_of(LOAD(in, z * plane + pixel));
            if ((other & known) == key)
                counts[other >> shift & 15]++;
        }
        uint digit = 0;
        while (rank >= counts[digit])
            rank -= counts[digit++];
        equal = counts[digit];
        key |= digit << shift;
        known |= 15u << shift;
    }

    uint next = key;
    if (depth % 2 == 0 && rank + 1 == equal) {
        next = 0xffffffffu;
        for (uint z = 0; z < depth; z++) {
            const uint other = key_of(LOAD(in, z * plane + pixel));
            next = other > key ? min(next, other) : next;
        }
    }
    AT(out, pixel) = next == key ? value_of(key) : 0.5f * value_of(key) + 0.5f * value_of(next);
}
