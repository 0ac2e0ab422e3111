// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Removal of stripes from sinograms (elements/correction/stripes.hpp), in parts.

#include "order-key.h"
#include "columns-in-order.h"
#include "group-sum.h"

#define keys_T uint
#define views_T VIEW
#define medians_T uint
#define marks_T uchar
#define ratios_T float
#define sums_T float
#define fits_T float
#define smooth_T float
#define known_T float

// Columns in order -----------------------------------------------------------------------------------------------------
//
// A bitonic sort in which all comparisons put the smaller value first, so that a column of any length is one whose
// missing values are larger than all others (K. E. Batcher, Sorting networks and their applications, 1968). Runs of
// `k` values come from two of k / 2: value i is compared with the one that lies as far from the run's end, then
// with those k / 4, k / 8, ... 1 behind it. A set of 8 values goes through three such steps at once. Values with the
// same key are ordered by their views, so equal ones keep theirs.

#if LANES > 1

typedef struct {
    uint16 key, view;
} Element;

#define LAST ((Element){(uint16)(NAN_KEY), (uint16)(NAN_KEY)})

static void order(Element *a, Element *b) {
    const int16 swap = a->key > b->key || (a->key == b->key && a->view > b->view);
    const Element low = {select(a->key, b->key, swap), select(a->view, b->view, swap)};
    const Element high = {select(b->key, a->key, swap), select(b->view, a->view, swap)};
    *a = low;
    *b = high;
}

#define SPACE global
typedef uint16 Stored;
#define FETCH(p, i) ((Element){(p)[2 * (i)], (p)[2 * (i) + 1]})
#define STORE(p, i, element) ((p)[2 * (i)] = (element).key, (p)[2 * (i) + 1] = (element).view)

#else

typedef ulong Element;

#define LAST 0xfffffffffffffffful

static void order(Element *a, Element *b) {
    const Element low = min(*a, *b), high = max(*a, *b);
    *a = low;
    *b = high;
}

#define SPACE local
typedef ulong Stored;
// The distance keeps work-items in different banks.
#define PLACE(i) ((i) + ((i) >> 3))
#define FETCH(p, i) (p)[PLACE(i)]
#define STORE(p, i, element) ((p)[PLACE(i)] = (element))

#endif

// One work-item's share of the steps with sets of `size` values that lie `s` apart. With `flips` the first one is that
// of values as far from both ends of the run.
#define STEPS(name, size, SPACE, FETCH, STORE)                                                                        \
    static void name(SPACE Stored *p, const uint n, const uint s, const bool flips, const uint item, const uint items) { \
        const uint sets = (n + s * size - 1) / (s * size) * s;                                                        \
        for (uint set = item; set < sets; set += items) {                                                             \
            const uint at = set & (s - 1), first = (set - at) * size;                                                 \
            if (first + at >= n)                                                                                      \
                continue;                                                                                             \
            const uint mirrored = first + (flips ? s - 1 - at : at);                                                  \
            Element v[size];                                                                                          \
            _Pragma("unroll") for (int m = 0; m < size; m++) {                                                        \
                const uint i = (m < size / 2 ? first + at : mirrored) + m * s;                                        \
                v[m] = i < n ? FETCH(p, i) : LAST;                                                                    \
            }                                                                                                         \
            if (flips) {                                                                                              \
                _Pragma("unroll") for (int m = 0; m < size / 2; m++) order(&v[m], &v[size - 1 - m]);                  \
            } else {                                                                                                  \
                _Pragma("unroll") for (int m = 0; m < size / 2; m++) order(&v[m], &v[m + size / 2]);                  \
            }                                                                                                         \
            _Pragma("unroll") for (int d = size / 4; d > 0; d /= 2) {                                                 \
                _Pragma("unroll") for (int m = 0; m < size; m++) if (!(m & d)) order(&v[m], &v[m + d]);               \
            }                                                                                                         \
            _Pragma("unroll") for (int m = 0; m < size; m++) {                                                        \
                const uint i = (m < size / 2 ? first + at : mirrored) + m * s;                                        \
                if (i < n)                                                                                            \
                    STORE(p, i, v[m]);                                                                                \
            }                                                                                                         \
        }                                                                                                             \
    }

STEPS(steps_of_2, 2, SPACE, FETCH, STORE)
STEPS(steps_of_4, 4, SPACE, FETCH, STORE)
STEPS(steps_of_8, 8, SPACE, FETCH, STORE)

// Runs of eight values.
static void begin_runs(SPACE Stored *p, const uint n, const uint item, const uint items) {
    for (uint first = item * 8; first < n; first += items * 8) {
        Element v[8];
#pragma unroll
        for (int m = 0; m < 8; m++)
            v[m] = first + m < n ? FETCH(p, first + m) : LAST;
#pragma unroll
        for (int k = 2; k <= 8; k *= 2) {
#pragma unroll
            for (int m = 0; m < 8; m++)
                if ((m & (k - 1)) < k / 2)
                    order(&v[m], &v[m ^ (k - 1)]);
#pragma unroll
            for (int d = k / 4; d > 0; d /= 2) {
#pragma unroll
                for (int m = 0; m < 8; m++)
                    if (!(m & d))
                        order(&v[m], &v[m + d]);
            }
        }
#pragma unroll
        for (int m = 0; m < 8; m++)
            if (first + m < n)
                STORE(p, first + m, v[m]);
    }
}

#if LANES > 1
#define TOGETHER
#else
#define TOGETHER barrier(CLK_LOCAL_MEM_FENCE);
#endif

// Steps of 8 values from those that lie s / 8 apart to those side by side.
static void end_run(SPACE Stored *p, const uint n, uint s, const uint item, const uint items) {
    while (s > 1) {
        s /= 8;
        steps_of_8(p, n, s, false, item, items);
        TOGETHER
    }
}

// How many steps the first set of a run of `k` values makes at once: those that remain are a multiple of three.
static uint first_steps(const uint k) {
    const uint left = (31 - clz(k)) % 3;
    return left ? left : 3;
}

static void sort(SPACE Stored *p, const uint n, const uint item, const uint items) {
    begin_runs(p, n, item, items);
    TOGETHER
    for (uint k = 16; k < 2 * n; k *= 2) {
        const uint steps = first_steps(k), s = k >> steps;
        if (steps == 1)
            steps_of_2(p, n, s, true, item, items);
        else if (steps == 2)
            steps_of_4(p, n, s, true, item, items);
        else
            steps_of_8(p, n, s, true, item, items);
        TOGETHER
        end_run(p, n, s, item, items);
    }
}

#if LANES > 1

// A work-item sorts 16 columns in `scratch`.
kernel void sort_columns(IN(in), OUT(uint, keys), OUT(VIEW, views), global uint16 *scratch, const uint columns,
                         const uint height, const uint pitch) {
    const uint tile = get_global_id(0), left = tile * LANES, z = get_global_id(1);
    const uint inside = min((uint)LANES, columns - left);
    global uint16 *p = scratch + ((ulong)z * get_global_size(0) + tile) * 2 * height;
    for (uint y = 0; y < height; y++) {
        uint key[LANES];
        const ulong row = tomo_index(left, y, z, columns, height);
        if (inside == LANES)
            for (uint lane = 0; lane < LANES; lane++)
                key[lane] = key_or_nan(LOAD(in, row + lane));
        else
            for (uint lane = 0; lane < LANES; lane++)
                key[lane] = key_or_nan(LOAD(in, row + min(lane, inside - 1)));
        p[2 * y] = vload16(0, key);
        p[2 * y + 1] = (uint16)(y);
    }
    sort(p, height, 0, 1);
    global const uint *values = (global const uint *)p;
    for (uint lane = 0; lane < inside; lane++) {
        const ulong at = column_at(left + lane, z, columns, pitch);
        for (uint y = 0; y < height; y++) {
            AT(keys, at + y) = values[2 * y * LANES + lane];
            AT(views, at + y) = values[(2 * y + 1) * LANES + lane];
        }
        for (uint y = height; y < pitch; y++)
            AT(keys, at + y) = NAN_KEY;
    }
}

#else

static Element element_of(const float value, const uint view) { return (ulong)key_or_nan(value) << 32 | view; }

// A work-group sorts a column in local memory.
kernel void sort_columns(IN(in), OUT(uint, keys), OUT(VIEW, views), const uint columns, const uint height,
                         const uint pitch, local ulong *p) {
    const uint item = get_local_id(0), items = get_local_size(0), x = get_group_id(0), z = get_group_id(1);
    for (uint y = item; y < height; y += items)
        STORE(p, y, element_of(LOAD(in, tomo_index(x, y, z, columns, height)), y));
    barrier(CLK_LOCAL_MEM_FENCE);
    sort(p, height, item, items);
    const ulong at = column_at(x, z, columns, pitch);
    for (uint y = item; y < height; y += items) {
        AT(keys, at + y) = FETCH(p, y) >> 32;
        AT(views, at + y) = (VIEW)FETCH(p, y);
    }
}

// Columns that local memory is too small for lie in `scratch`. Work-groups sort blocks of them, a power of two of
// values each.
kernel void sort_blocks(IN(in), global ulong *scratch, const uint columns, const uint height, const uint block,
                        local ulong *p) {
    const uint item = get_local_id(0), items = get_local_size(0), x = get_group_id(1), z = get_group_id(2);
    const uint first = get_group_id(0) * block, n = min(block, height - first);
    for (uint i = item; i < n; i += items)
        STORE(p, i, element_of(LOAD(in, tomo_index(x, first + i, z, columns, height)), first + i));
    barrier(CLK_LOCAL_MEM_FENCE);
    sort(p, n, item, items);
    global ulong *column = scratch + column_at(x, z, columns, height) + first;
    for (uint i = item; i < n; i += items)
        column[i] = FETCH(p, i);
}

#define FETCH_FAR(p, i) (p)[i]
#define STORE_FAR(p, i, element) ((p)[i] = (element))
STEPS(far_steps_of_2, 2, global, FETCH_FAR, STORE_FAR)
STEPS(far_steps_of_4, 4, global, FETCH_FAR, STORE_FAR)
STEPS(far_steps_of_8, 8, global, FETCH_FAR, STORE_FAR)

// Steps over a whole column, with sets of 1 << `steps` values.
kernel void sort_far(global ulong *scratch, const uint columns, const uint height, const uint s, const uint steps,
                     const int flips) {
    const uint item = get_global_id(0), items = get_global_size(0);
    global ulong *column = scratch + column_at(get_global_id(1), get_global_id(2), columns, height);
    if (steps == 1)
        far_steps_of_2(column, height, s, flips, item, items);
    else if (steps == 2)
        far_steps_of_4(column, height, s, flips, item, items);
    else
        far_steps_of_8(column, height, s, flips, item, items);
}

// The steps that remain within blocks, from s / 8 apart on.
kernel void sort_near(global ulong *scratch, const uint columns, const uint height, const uint block, const uint s,
                      local ulong *p) {
    const uint item = get_local_id(0), items = get_local_size(0);
    const uint first = get_group_id(0) * block, n = min(block, height - first);
    global ulong *column = scratch + column_at(get_group_id(1), get_group_id(2), columns, height) + first;
    for (uint i = item; i < n; i += items)
        STORE(p, i, column[i]);
    barrier(CLK_LOCAL_MEM_FENCE);
    end_run(p, n, s, item, items);
    for (uint i = item; i < n; i += items)
        column[i] = FETCH(p, i);
}

kernel void sort_end(global const ulong *scratch, OUT(uint, keys), OUT(VIEW, views), const uint columns,
                     const uint height, const uint pitch) {
    const uint y = get_global_id(0), x = get_global_id(1), z = get_global_id(2);
    const ulong element = scratch[column_at(x, z, columns, height) + y], at = column_at(x, z, columns, pitch) + y;
    AT(keys, at) = element >> 32;
    AT(views, at) = (VIEW)element;
}

#endif

// Stripes --------------------------------------------------------------------------------------------------------------

static float ratio_of(const tomo_real value, const tomo_real smoothed) {
    const float ratio = smoothed == 0.0f ? 1.0f : (float)(value / smoothed);
    return isfinite(ratio) ? ratio : NAN;
}

// Of the means of columns in order and of their medians, without `drop` ranks at both ends. A work-group takes a column.
kernel void column_ratios(IN(keys), IN(medians), OUT(float, ratios), const uint columns, const uint height,
                          const uint pitch, const uint drop, local tomo_sum *parts) {
    const uint item = get_local_id(0), items = get_local_size(0), x = get_group_id(0), z = get_group_id(1);
    const ulong at = column_at(x, z, columns, pitch);
    tomo_sum own = (tomo_sum)(0.0f), smoothed = (tomo_sum)(0.0f), size = (tomo_sum)(0.0f);
    for (uint y = drop + item; y < height - drop; y += items) {
        const float value = value_or_nan(AT(keys, at + y));
        own = tomo_add(own, value);
        size = tomo_add(size, fabs(value));
        smoothed = tomo_add(smoothed, value_or_nan(AT(medians, at + y)));
    }
    own = tomo_sum_of_group(parts, own);
    smoothed = tomo_sum_of_group(parts, smoothed);
    size = tomo_sum_of_group(parts, size);
    if (item != 0)
        return;
    // Where positive and negative values cancel, the rest is rounding and tells nothing of the detector.
    const tomo_real rounding = tomo_total(size) * (tomo_real)1e-6f;
    const bool cancels = fabs(tomo_total(own)) <= rounding || fabs(tomo_total(smoothed)) <= rounding;
    AT(ratios, (ulong)z * columns + x) = cancels ? 1.0f : ratio_of(tomo_total(own), tomo_total(smoothed));
}

static bool is_stripe(const float ratio, const tomo_real lower, const tomo_real upper, const bool gaps) {
    return isnan(ratio) ? gaps : ratio < lower || ratio > upper;
}

// Which columns are stripes, with those beside them. `keys` are the ratios in order. A line through their middle half
// tells where they would begin and end without stripes. With `gaps` NaN is one, the outermost columns are none, and
// there are none at all where they would be a third of all columns. A work-group takes a plane.
kernel void mark_stripes(IN(keys), IN(ratios), OUT(uchar, marks), const uint columns, const uint pitch,
                         const float snr, const int gaps, local tomo_sum *parts) {
    const uint item = get_local_id(0), items = get_local_size(0), z = get_group_id(0);
    const ulong at = (ulong)z * pitch, row = (ulong)z * columns;
    tomo_sum sum = (tomo_sum)(0.0f);
    for (uint i = item; i < columns; i += items)
        sum = tomo_add(sum, AT(keys, at + i) != NAN_KEY);
    const uint n = tomo_total(tomo_sum_of_group(parts, sum)), drop = n / 4;
    const uint number = n > 2 * drop + 1 ? n - 2 * drop - 1 : 0;
    tomo_real lower = -INFINITY, upper = INFINITY;
    if (number > 1) {
        const tomo_real middle = drop + (tomo_real)(number - 1) / 2;
        tomo_sum moment = (tomo_sum)(0.0f);
        sum = (tomo_sum)(0.0f);
        for (uint i = drop + item; i < drop + number; i += items) {
            const tomo_real value = value_of(AT(keys, at + i));
            sum = tomo_add(sum, value);
            moment = tomo_add(moment, (i - middle) * value);
        }
        const tomo_real mean = tomo_total(tomo_sum_of_group(parts, sum)) / number;
        const tomo_real m = number;
        const tomo_real slope = tomo_total(tomo_sum_of_group(parts, moment)) * 12 / (m * (m * m - 1));
        const tomo_real first = mean - slope * middle, last = first + slope * (n - 1);
        // Values that differ by rounding alone are no noise.
        const tomo_real noise = fmax(fabs(last - first), fabs(first) * (tomo_real)1e-6f);
        if (value_of(AT(keys, at + n - 1)) - last > snr * noise)
            upper = last + noise * snr / 2;
        if (first - value_of(AT(keys, at)) > snr * noise)
            lower = first - noise * snr / 2;
    }
    tomo_sum marked = (tomo_sum)(0.0f);
    for (uint x = item; x < columns; x += items) {
        bool is = false;
        for (uint beside = x > 0 ? x - 1 : 0; beside <= min(x + 1, columns - 1); beside++)
            is |= is_stripe(AT(ratios, row + beside), lower, upper, gaps);
        if (gaps && (x < 2 || x + 2 >= columns))
            is = false;
        AT(marks, row + x) = is;
        marked = tomo_add(marked, is);
    }
    marked = tomo_sum_of_group(parts, marked);
    if (gaps && (uint)tomo_total(marked) >= columns / 3)
        for (uint x = item; x < columns; x += items)
            AT(marks, row + x) = 0;
}

kernel void normalise(IN(in), IN(ratios), OUT(float, out)) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2), columns = get_global_size(0);
    const ulong i = tomo_index(x, y, z, columns, get_global_size(1));
    const float ratio = AT(ratios, (ulong)z * columns + x);
    AT(out, i) = isnan(ratio) || ratio == 0.0f ? LOAD(in, i) : LOAD(in, i) / ratio;
}

// The medians take the place of stripes.
kernel void replace_stripes(IN(medians), IN(views), IN(marks), OUT(float, out), const uint height, const uint pitch) {
    const uint rank = get_global_id(0), x = get_global_id(1), z = get_global_id(2), columns = get_global_size(1);
    if (!AT(marks, (ulong)z * columns + x))
        return;
    const ulong at = column_at(x, z, columns, pitch) + rank;
    AT(out, tomo_index(x, AT(views, at), z, columns, height)) = value_or_nan(AT(medians, at));
}

// Columns that are dead or fluctuate -----------------------------------------------------------------------------------

#define MEAN_OF 10

// The sum of differences from the mean of the views around, over a part of the views.
kernel void roughness(IN(in), OUT(float, sums), const uint columns, const uint height, const uint views_per_part) {
    const uint x = get_global_id(0), part = get_global_id(1), z = get_global_id(2);
    if (x >= columns)
        return;
    const int first = part * views_per_part, end = min(first + views_per_part, height);
#define VIEW_OF(y) LOAD(in, tomo_index(x, tomo_address(y, (int)height, 4), z, columns, height))
    float near[MEAN_OF];
    for (int i = 1; i < MEAN_OF; i++)
        near[i] = VIEW_OF(first - MEAN_OF / 2 - 1 + i);
    tomo_sum sum = (tomo_sum)(0.0f);
    for (int y = first; y < end; y++) {
        for (int i = 0; i < MEAN_OF - 1; i++)
            near[i] = near[i + 1];
        near[MEAN_OF - 1] = VIEW_OF(y + MEAN_OF / 2 - 1);
        const float own = near[MEAN_OF / 2];
        float total = 0.0f; // of differences, so that nothing comes of values that are equal
        for (int i = 0; i < MEAN_OF; i++)
            total += near[i] - own;
        sum = tomo_add(sum, fabs(total) * (1.0f / MEAN_OF));
    }
    AT(sums, tomo_index(x, part, z, columns, get_global_size(1))) = (float)tomo_total(sum);
}

// Its mean over all parts, as a key in a column of one rank.
kernel void roughness_keys(IN(sums), OUT(uint, keys), const uint parts, const uint height, const uint pitch) {
    const uint x = get_global_id(0), z = get_global_id(1), columns = get_global_size(0);
    float sum = 0.0f;
    for (uint part = 0; part < parts; part++)
        sum += AT(sums, tomo_index(x, part, z, columns, parts));
    const float mean = sum / height;
    AT(keys, column_at(x, z, columns, pitch)) = isfinite(mean) ? key_of(mean) : NAN_KEY;
}

// Over the medians; where these are 0, over the mean of all medians. A work-group takes a plane.
kernel void roughness_ratios(IN(keys), IN(medians), OUT(float, ratios), const uint columns, const uint pitch,
                             local tomo_sum *parts) {
    const uint item = get_local_id(0), items = get_local_size(0), z = get_group_id(0);
    tomo_sum sum = (tomo_sum)(0.0f), count = (tomo_sum)(0.0f);
    for (uint x = item; x < columns; x += items) {
        const float median = value_or_nan(AT(medians, column_at(x, z, columns, pitch)));
        if (isnan(median))
            continue;
        sum = tomo_add(sum, median);
        count = tomo_add(count, 1.0f);
    }
    const tomo_real number = tomo_total(tomo_sum_of_group(parts, count));
    const tomo_real mean = number > 0 ? tomo_total(tomo_sum_of_group(parts, sum)) / number : 0;
    for (uint x = item; x < columns; x += items) {
        const ulong at = column_at(x, z, columns, pitch);
        const float value = value_or_nan(AT(keys, at)), median = value_or_nan(AT(medians, at));
        AT(ratios, (ulong)z * columns + x) = isnan(value) ? NAN : ratio_of(value, median == 0.0f ? mean : median);
    }
}

// Stripes become values on the line between the columns on both sides of them. The outermost ones are never stripes; so
// one side may not be finite, and then the other one serves alone.
kernel void bridge_stripes(IN(in), IN(marks), OUT(float, out)) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2), columns = get_global_size(0);
    const ulong row = tomo_index(0, y, z, columns, get_global_size(1)), mark = (ulong)z * columns;
    if (!AT(marks, mark + x)) {
        AT(out, row + x) = LOAD(in, row + x);
        return;
    }
    uint left = x - 1, right = x + 1;
    while (AT(marks, mark + left))
        left--;
    while (AT(marks, mark + right))
        right++;
    const float a = LOAD(in, row + left), b = LOAD(in, row + right);
    if (isfinite(a) && isfinite(b))
        AT(out, row + x) = a + (b - a) * ((float)(x - left) / (float)(right - left));
    else
        AT(out, row + x) = isfinite(a) ? a : isfinite(b) ? b : LOAD(in, row + x);
}

// Columns as sums of a few functions of the view -----------------------------------------------------------------------
//
// A table has a row for each view, with the values of the functions, a multiple of MODES of them.

#define MODES 16
#if LANES > 1
typedef float16 Floats;
#else
typedef float Floats;
#endif

// The sums of the column times each function, over a part of the views.
kernel void analyse(IN(in), OUT(float, sums), global const float *table, const uint columns, const uint height,
                    const uint modes, const uint parts, const uint views_per_part) {
    const uint left = get_global_id(0) * LANES, part = get_global_id(1), chunks = modes / MODES;
    if (left >= columns)
        return;
    const uint z = get_global_id(2) / chunks, mode = get_global_id(2) % chunks * MODES;
    const uint inside = min((uint)LANES, columns - left);
    Floats sum[MODES];
#pragma unroll
    for (int m = 0; m < MODES; m++)
        sum[m] = (Floats)(0.0f);
    for (uint y = part * views_per_part; y < min((part + 1) * views_per_part, height); y++) {
        const ulong row = tomo_index(left, y, z, columns, height);
#if LANES > 1
        float lanes[LANES];
        if (inside == LANES)
            for (uint lane = 0; lane < LANES; lane++)
                lanes[lane] = LOAD(in, row + lane);
        else
            for (uint lane = 0; lane < LANES; lane++)
                lanes[lane] = LOAD(in, row + min(lane, inside - 1));
        const Floats value = vload16(0, lanes);
#else
        const Floats value = LOAD(in, row);
#endif
#pragma unroll
        for (int m = 0; m < MODES; m += 4) {
            const float4 f = vload4(0, table + (ulong)y * modes + mode + m);
            sum[m] += f.x * value;
            sum[m + 1] += f.y * value;
            sum[m + 2] += f.z * value;
            sum[m + 3] += f.w * value;
        }
    }
    for (int m = 0; m < MODES; m++)
        for (uint lane = 0; lane < inside; lane++)
            AT(sums, ((ulong)(z * parts + part) * modes + mode + m) * columns + left + lane) =
                ((const private float *)&sum[m])[lane];
}

kernel void add_parts(IN(sums), OUT(float, fits), const uint parts) {
    const uint x = get_global_id(0), m = get_global_id(1), z = get_global_id(2);
    const uint columns = get_global_size(0), modes = get_global_size(1);
    float sum = 0.0f;
    for (uint part = 0; part < parts; part++)
        sum += AT(sums, ((ulong)(z * parts + part) * modes + m) * columns + x);
    AT(fits, tomo_index(x, m, z, columns, modes)) = sum;
}

// The sum of the functions, each times its factor, for eight views from `first` on. This table has a row for each
// function, `length` values long, a multiple of eight.
static float8 compose(global const float *fits, global const float *table, const uint first, const uint length,
                      const uint columns, const uint count) {
    float8 values = (float8)(0.0f);
    for (uint m = 0; m < count; m++)
        values += fits[(ulong)m * columns] * vload8(0, table + (ulong)m * length + first);
    return values;
}

// The low frequencies, NaN in columns that are not finite; the others go to `out`, which takes such columns whole.
kernel void separate(IN(in), IN(fits), OUT(float, low), OUT(float, out), global const float *table, const uint length,
                     const uint columns, const uint height, const uint modes, const uint count) {
    const uint x = get_global_id(0), first = get_global_id(1) * 8, z = get_global_id(2);
    if (x >= columns)
        return;
    float values[8];
    vstore8(compose(fits_base + fits_at + tomo_index(x, 0, z, columns, modes), table, first, length, columns, count), 0,
            values);
    for (uint y = first; y < min(first + 8, height); y++) {
        const ulong i = tomo_index(x, y, z, columns, height);
        const float value = values[y - first];
        AT(low, i) = isfinite(value) ? value : NAN;
        AT(out, i) = isfinite(value) ? LOAD(in, i) - value : LOAD(in, i);
    }
}

// Columns that are not finite take the factors of the next one that is.
kernel void borrow_fits(IN(fits), OUT(float, out), const uint modes) {
    const uint x = get_global_id(0), m = get_global_id(1), z = get_global_id(2), columns = get_global_size(0);
    const ulong first = tomo_index(0, 0, z, columns, modes);
    uint from = x;
    for (uint distance = 1; distance < columns && !isfinite(AT(fits, first + from)); distance++)
        from = distance <= x && isfinite(AT(fits, first + x - distance)) ? x - distance
               : x + distance < columns                                 ? x + distance
                                                                        : from;
    AT(out, first + (ulong)m * columns + x) = AT(fits, first + (ulong)m * columns + from);
}

// Along the rows, which go on as a circle behind `pad` values of their ends on both sides. `weights` begin at the
// distance 0.
kernel void smooth_fits(IN(fits), OUT(float, out), global const float *weights, const uint pad, const uint reach,
                        const uint modes) {
    const int x = get_global_id(0), columns = get_global_size(0), round = columns + 2 * pad;
    const ulong row = tomo_index(0, get_global_id(1), get_global_id(2), columns, modes);
    float sum = 0.0f;
    // An even circle has one value that is farthest off.
    for (int d = 2 * (int)reach == round ? 1 - (int)reach : -(int)reach; d <= (int)reach; d++) {
        const int place = (x + (int)pad + d + round) % round;
        sum += weights[abs(d)] * AT(fits, row + clamp(place - (int)pad, 0, columns - 1));
    }
    AT(out, row + x) = sum;
}

// Times smoothed / fitted. Columns that are not finite stay.
kernel void apply_fits(IN(in), IN(known), IN(fits), IN(smooth), OUT(float, out), global const float *table,
                       const uint length, const uint columns, const uint height, const uint modes, const uint count) {
    const uint x = get_global_id(0), first = get_global_id(1) * 8, z = get_global_id(2);
    if (x >= columns)
        return;
    const ulong at = tomo_index(x, 0, z, columns, modes);
    const bool is_known = isfinite(AT(known, at));
    float fitted[8], smoothed[8];
    vstore8(compose(fits_base + fits_at + at, table, first, length, columns, count), 0, fitted);
    vstore8(compose(smooth_base + smooth_at + at, table, first, length, columns, count), 0, smoothed);
    for (uint y = first; y < min(first + 8, height); y++) {
        const ulong i = tomo_index(x, y, z, columns, height);
        const float value = LOAD(in, i), fit = fitted[y - first];
        AT(out, i) = is_known && fit != 0.0f ? value * (smoothed[y - first] / fit) : value;
    }
}
