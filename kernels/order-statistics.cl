// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Filters that order the values around a pixel. Images come with a margin, see kernels/padded.cl, so that all of a
// pixel's surroundings are there; `offsets` tell where they are, from the first of them on. NaN has no place in an
// order; each filter says what becomes of it. Ranks count from 0.

#include "order-key.h"

#define FLOATS(name) global const float *restrict name##_base, const ulong name##_at

// A range of values that holds the wanted ranks.
typedef struct {
    uint low, high; // keys, both in it
    uint below;     // values below it
    uint inside;
} Range;

// Narrows the range of `number` values, NaN not counted, down to one value or to no more than `enough`; or to where
// its next half would part the ranks `first` and `last`.
static Range narrow(global const float *restrict from, global const int *restrict offsets, const uint size,
                    const uint number, const uint first, const uint last, const uint enough) {
    Range range = {0u, 0xffffffffu, 0u, number};
    while (range.inside > enough && range.low < range.high) {
        const uint middle = range.low + (range.high - range.low) / 2;
        uint up_to = 0, highest = 0u, next = 0xffffffffu; // values up to the middle, and the keys beside it
        for (uint i = 0; i < size; i++) {
            const float value = from[offsets[i]];
            if (isnan(value))
                continue;
            const uint key = key_of(value);
            if (key <= middle) {
                up_to++;
                highest = max(highest, key);
            } else {
                next = min(next, key);
            }
        }
        if (last < up_to) {
            range.high = highest;
            range.inside = up_to - range.below;
        } else if (first >= up_to) {
            range.low = next;
            range.inside -= up_to - range.below;
            range.below = up_to;
        } else {
            break;
        }
    }
    return range;
}

static float rank_value(global const float *restrict from, global const int *restrict offsets, const uint size,
                        const uint number, const uint rank) {
    return value_of(narrow(from, offsets, size, number, rank, rank, 0).low);
}

static float between(const float a, const float b) { return a == b ? a : 0.5f * a + 0.5f * b; }

// A box that moves down the image. It keeps the values near the wanted ranks in order, and only counts what lies below
// them. From one row to the next as many values change as a row has; only when the ranks have left what is kept is
// the whole box looked at again.
#define KEPT 64

typedef struct {
    uint low, high; // keys of the values kept
    uint below;     // values below them
    uint inside;    // values from low to high; kept are they where there are at most KEPT and low < high
    uint values[KEPT]; // keys in ascending order
} Box;

static void enter(Box *box, const float value) {
    const uint key = key_of(value);
    if (isnan(value))
        return;
    if (key < box->low) {
        box->below++;
    } else if (key <= box->high) {
        if (box->low < box->high && box->inside < KEPT) {
            uint i = box->inside;
            for (; i > 0 && box->values[i - 1] > key; i--)
                box->values[i] = box->values[i - 1];
            box->values[i] = key;
        }
        box->inside++;
    }
}

static void leave(Box *box, const float value) {
    const uint key = key_of(value);
    if (isnan(value))
        return;
    if (key < box->low) {
        box->below--;
    } else if (key <= box->high) {
        box->inside--;
        if (box->low < box->high) {
            uint i = 0;
            while (i < box->inside && box->values[i] != key)
                i++;
            for (; i < box->inside; i++)
                box->values[i] = box->values[i + 1];
        }
    }
}

static bool is_kept(const Box *box) { return box->low == box->high || box->inside <= KEPT; }

static bool has_ranks(const Box *box, const uint first, const uint last) {
    return first >= box->below && last < box->below + box->inside;
}

static float kept_value(const Box *box, const uint rank) {
    return value_of(box->low == box->high ? box->low : box->values[rank - box->below]);
}

static void look_anew(Box *box, global const float *restrict from, global const int *restrict offsets,
                      const uint size, const uint number, const uint first, const uint last) {
    // Room is left for what enters before others leave the ranks behind.
    const Range range = narrow(from, offsets, size, number, first, last, size <= KEPT ? KEPT : 3 * KEPT / 4);
    box->low = range.low;
    box->high = range.high;
    box->below = box->inside = 0;
    for (uint i = 0; i < size; i++)
        enter(box, from[offsets[i]]);
}

// The value of the pixel, and the values of the ranks FIRST and LAST among the `number` that are not NaN in the box
// around it, for a run of rows of one column; then RESULT goes to the output.
#define BOX_ARGUMENTS                                                                                        \
    FLOATS(in), OUT(float, out), global const int *restrict offsets, const uint box_width, const uint height

#define FOR_EACH_BOX(FIRST, LAST, RESULT)                                                                    \
    const uint x = get_global_id(0), z = get_global_id(2), width = get_global_size(0);                       \
    const uint padded_width = width + box_width - 1, padded_height = height + box_width - 1;                 \
    const uint size = box_width * box_width, middle = (box_width - 1) / 2;                                   \
    const uint rows = (height + get_global_size(1) - 1) / get_global_size(1);                                \
    const uint begin = get_global_id(1) * rows, end = min(begin + rows, height);                             \
    Box box;                                                                                                 \
    bool known = false;                                                                                      \
    uint nans = 0;                                                                                           \
    for (uint y = begin; y < end; y++) {                                                                     \
        global const float *from = &AT(in, tomo_index(x, y, z, padded_width, padded_height));                \
        if (y == begin) {                                                                                    \
            for (uint i = 0; i < size; i++)                                                                  \
                nans += isnan(from[offsets[i]]);                                                             \
        } else {                                                                                             \
            global const float *above = from - padded_width;                                                 \
            global const float *below = from + (ulong)padded_width * (box_width - 1);                        \
            for (uint i = 0; i < box_width; i++) {                                                           \
                nans += isnan(below[i]);                                                                     \
                nans -= isnan(above[i]);                                                                     \
                if (known) {                                                                                 \
                    leave(&box, above[i]);                                                                   \
                    enter(&box, below[i]);                                                                   \
                    known = is_kept(&box);                                                                   \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
        const float value = from[(ulong)padded_width * middle + middle];                                     \
        const uint number = size - nans;                                                                     \
        float first = NAN, last = NAN;                                                                       \
        if (number > 0) {                                                                                    \
            const uint rank = FIRST, other = LAST;                                                           \
            const uint lower = min(rank, other), upper = max(rank, other);                                   \
            if (!known || !has_ranks(&box, lower, upper)) {                                                  \
                look_anew(&box, from, offsets, size, number, lower, upper);                                  \
                known = is_kept(&box) && has_ranks(&box, lower, upper);                                      \
            }                                                                                                \
            first = known ? kept_value(&box, rank) : rank_value(from, offsets, size, number, rank);          \
            last = known ? kept_value(&box, other) : rank_value(from, offsets, size, number, other);         \
        }                                                                                                    \
        AT(out, tomo_index(x, y, z, width, height)) = RESULT;                                                \
    }

kernel void median(BOX_ARGUMENTS) {
    FOR_EACH_BOX((number - 1) / 2, number / 2, nans ? NAN : between(first, last))
}

kernel void above_background(BOX_ARGUMENTS, const uint background) {
    FOR_EACH_BOX(min(background, number - 1), min(background, number - 1),
                 nans ? NAN : fmax(value - first, 0.0f))
}

// `sign`: see remove-outliers.cpp.
kernel void remove_outliers(BOX_ARGUMENTS, const float threshold, const int sign) {
    FOR_EACH_BOX((number - 1) / 2, (uint)clamp((int)(number - 1) / 2 - sign, 0, (int)number - 1),
                 (sign ? value * sign > first * sign + threshold : fabs(value - first) > threshold)
                     ? between(first, last)
                     : value)
}

// Whether |value - median| < threshold * MAD. The median absolute deviation has the same rank as the median, and this
// holds for all deviations above the first one for which it holds, so it is enough to count where it does not.
static bool is_near(global const float *restrict from, global const int *restrict offsets, const uint size,
                    const uint rank, const float value, const float median, const float threshold) {
    uint farther = 0;
    for (uint i = 0; i < size; i++) {
        const float other = from[offsets[i]];
        farther += !isnan(other) && !(fabs(value - median) < threshold * fabs(other - median));
    }
    return farther <= rank;
}

kernel void med_mad_reject_2d(BOX_ARGUMENTS, const float threshold) {
    FOR_EACH_BOX(number / 2, number / 2,
                 value != first && is_near(from, offsets, size, number / 2, value, first, threshold) ? value
                                                                                                     : first)
}

// The same in the 3 x 3 x 3 pixels of three images with a margin of one pixel.
kernel void med_mad_reject(FLOATS(before), FLOATS(in), FLOATS(after), OUT(float, out), const float threshold) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    float values[27];
    uint number = 0;
    for (uint i = 0; i < 27; i++) {
        const ulong at = tomo_index(x + i % 3, y + i / 3 % 3, z, width + 2, height + 2);
        const float value = i < 9 ? AT(before, at) : i < 18 ? AT(in, at) : AT(after, at);
        if (isnan(value))
            continue;
        uint j = number++;
        for (; j > 0 && values[j - 1] > value; j--)
            values[j] = values[j - 1];
        values[j] = value;
    }
    const float value = AT(in, tomo_index(x + 1, y + 1, z, width + 2, height + 2));
    const float median = number ? values[number / 2] : NAN;
    uint farther = 0;
    for (uint i = 0; i < number; i++)
        farther += !(fabs(value - median) < threshold * fabs(values[i] - median));
    AT(out, tomo_index(x, y, z, width, height)) = farther <= number / 2 && number && !isnan(value) ? value : median;
}

// Two ranks under a pattern: their mean, less where they differ.
kernel void ordfilt(FLOATS(in), OUT(float, out), global const int *restrict offsets, const uint size,
                    const uint padded_width, const uint padded_height, const uint low, const uint high) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    global const float *from = &AT(in, tomo_index(x, y, z, padded_width, padded_height));
    bool missing = false;
    for (uint i = 0; i < size; i++)
        missing = missing || isnan(from[offsets[i]]);
    float value = NAN;
    if (!missing) {
        const float darker = rank_value(from, offsets, size, size, low);
        const float brighter = rank_value(from, offsets, size, size, high);
        value = between(darker, brighter) * (1.0f - (brighter - darker));
    }
    AT(out, tomo_index(x, y, z, get_global_size(0), get_global_size(1))) = value;
}
