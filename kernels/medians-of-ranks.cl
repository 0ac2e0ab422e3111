// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Medians of SIZE neighbouring columns in order, rank by rank (elements/correction/stripes.hpp).

#include "order-key.h"
#include "columns-in-order.h"

#define keys_T uint
#define views_T VIEW

#if LANES > 1
typedef uint16 Keys;
#define LANE(v, lane) (((const private uint *)&(v))[lane])
#define LOAD_KEYS(name, i) vload16(0, name##_base + name##_at + (i))
#else
typedef uint Keys;
#define LANE(v, lane) (v)
#define LOAD_KEYS(name, i) AT(name, i)
#endif

#if LANES == 1 && SIZE <= 96
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED
#endif

// The window keeps its values in ascending order while it goes along the columns: `gone` leaves it and `come` enters.
static void move_on(Keys *window, const Keys gone, const Keys come) {
    Keys before = (Keys)(0u);
UNROLLED
    for (int i = 0; i < SIZE; i++) {
        const Keys left = i + 1 < SIZE ? (window[i] >= gone ? window[i + 1 < SIZE ? i + 1 : i] : window[i]) : (Keys)(NAN_KEY);
        window[i] = max(before, min(left, come));
        before = left;
    }
}

// Each work-item goes along `run` columns. The median is that of SIZE values, SIZE / 2 of them before the column; of an
// even number the upper one in the middle. The image is mirrored at its edges. NaN stays, and nothing else becomes NaN.
//
// IN_TIME: the medians go to the views that their values came from, as values; with ADDED they are added there.
kernel void medians_along_rows(IN(keys),
#ifdef IN_TIME
                               IN(views), OUT(float, out), const uint height,
#else
                               OUT(uint, medians),
#endif
                               const uint columns, const uint pitch, const uint run) {
    const uint rank = get_global_id(0) * LANES, first = get_global_id(1) * run, z = get_global_id(2);
    const uint end = min(first + run, columns);
    const int before = SIZE / 2, behind = SIZE - 1 - before;
#define KEYS_OF(column) LOAD_KEYS(keys, column_at(tomo_address((int)(column), (int)columns, 4), z, columns, pitch) + rank)

    Keys window[SIZE];
UNROLLED
    for (int i = 0; i < SIZE; i++)
        window[i] = (Keys)(NAN_KEY);
    for (int i = -before; i <= behind; i++)
        move_on(window, (Keys)(NAN_KEY), KEYS_OF((int)first + i));
    for (uint x = first; x < end; x++) {
        if (x > first)
            move_on(window, KEYS_OF((int)x - before - 1), KEYS_OF((int)x + behind));
        const ulong at = column_at(x, z, columns, pitch) + rank;
        const Keys own = LOAD_KEYS(keys, at), median = window[SIZE / 2];
        const Keys found = own == NAN_KEY || median == NAN_KEY ? own : median;
#ifdef IN_TIME
        for (uint lane = 0; lane < LANES && rank + lane < height; lane++) {
            const ulong place = tomo_index(x, AT(views, at + lane), z, columns, height);
            const uint key = LANE(found, lane);
#ifdef ADDED
            if (key != NAN_KEY)
                AT(out, place) += value_of(key);
#else
            AT(out, place) = value_or_nan(key);
#endif
        }
#elif LANES > 1
        vstore16(found, 0, medians_base + medians_at + at);
#else
        AT(medians, at) = found;
#endif
    }
}
