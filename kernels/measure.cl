// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reductions in parts: a partial result is two tomo_sum, and parts are merged until one is left. Result
// (outer, inner) is that of the samples outer * count * inners + k * inners + inner, k = 0 .. count - 1.

#define mean_T tomo_sum
#define variance_T tomo_sum
#define parts_T tomo_sum
#define moments_T tomo_sum

#if defined(cl_khr_fp64) && !defined(TOMO_COMPENSATED)
#define DIFFERENCE(v, sum) ((v) - (sum))
#define QUOTIENT(sum, n) ((sum) / (n))
#else
#define DIFFERENCE(v, sum) (((v) - (sum).x) - (sum).y)
// With what the division of the first part left over.
inline tomo_sum quotient(const tomo_sum sum, const float n) {
    const float q = sum.x / n;
    return (tomo_sum)(q, isfinite(q) ? (fma(-q, n, sum.x) + sum.y) / n : 0.0f);
}
#define QUOTIENT(sum, n) quotient(sum, n)
#endif

inline tomo_sum tomo_sum_of(const tomo_real v) { return tomo_add((tomo_sum)(0), v); }

// Order 0: least and largest, NaN where one is. Order 1: sum of the differences d to the mean. From order 2 on: sums
// of d^2 and d^order.
kernel void measure_part(IN(in), IN(mean), OUT(tomo_sum, parts), const ulong count, const uint order,
                         const uint spread) {
    const ulong inner = get_global_id(0), inners = get_global_size(0), outer = get_global_id(2);
    const ulong part = get_global_id(1), parts = get_global_size(1), result = outer * inners + inner;
    const ulong first = outer * count * inners + inner;
    tomo_sum a = (tomo_sum)(0), b = (tomo_sum)(0);
    if (order == 0) {
        tomo_real low = INFINITY, high = -INFINITY;
        TOMO_FOR_SHARE(k, count, part, parts, spread) {
            const tomo_real v = LOAD_REAL(in, first + k * inners);
            low = v < low || isnan(v) ? v : low;
            high = v > high || isnan(v) ? v : high;
        }
        a = tomo_sum_of(low), b = tomo_sum_of(high);
    } else {
        const tomo_sum mean = AT(mean, result);
        TOMO_FOR_SHARE(k, count, part, parts, spread) {
            const tomo_real v = LOAD_REAL(in, first + k * inners);
            const tomo_real d = DIFFERENCE(v, mean);
            const tomo_real square = d * d;
            a = tomo_add(a, order == 1 ? d : square);
            b = tomo_add(b, order == 3 ? square * d : square * square);
        }
    }
    AT(parts, 2 * (result * parts + part)) = a;
    AT(parts, 2 * (result * parts + part) + 1) = b;
}

// Whether pixel k of planes of width x height has its centre within the circle around their middle; 0: all have.
inline bool is_inside(const ulong k, const uint width, const ulong count, const float radius) {
    const float x = (float)(k % width) + 0.5f - 0.5f * width;
    const float y = (float)(k / width) + 0.5f - 0.5f * (float)(count / width);
    return radius == 0 || x * x + y * y <= radius * radius;
}

// Of the pixels inside, whose number is the second sum: |dx| + |dy| (0), |v| (1), -v where that is positive (2), v (3),
// the square of v relative to the mean (4).
kernel void sharpness_part(IN(in), IN(mean), const uint width, const float radius, OUT(tomo_sum, parts),
                           const ulong count, const uint what, const uint spread) {
    const ulong part = get_global_id(1), parts = get_global_size(1), plane = get_global_id(2);
    const ulong first = plane * count;
    const tomo_sum mean = AT(mean, plane);
    tomo_sum sum = (tomo_sum)(0), number = (tomo_sum)(0);
    TOMO_FOR_SHARE(k, count, part, parts, spread) {
        if (!is_inside(k, width, count, radius))
            continue;
        const tomo_real v = LOAD_REAL(in, first + k);
        tomo_real term = 0;
        if (what == 0) {
            if (k >= width && k % width != 0)
                term = fabs(v - LOAD_REAL(in, first + k - 1)) + fabs(v - LOAD_REAL(in, first + k - width));
        } else if (what == 1) {
            term = fabs(v);
        } else if (what == 2) {
            term = v > 0 ? 0 : -v;
        } else if (what == 3) {
            term = v;
        } else {
            term = DIFFERENCE(v, mean);
            term *= term;
        }
        sum = tomo_add(sum, term);
        number = tomo_add(number, 1);
    }
    AT(parts, 2 * (plane * parts + part)) = sum;
    AT(parts, 2 * (plane * parts + part) + 1) = number;
}

// The mean of what was summed, with its number.
kernel void sharpness_mean(IN(moments), OUT(tomo_sum, mean)) {
    const ulong i = get_global_id(0);
    AT(mean, i) = QUOTIENT(AT(moments, 2 * i), tomo_total(AT(moments, 2 * i + 1)));
}

// How many pixels inside have a value in each of `bins` equal steps from 4 standard deviations below the mean to 4
// above, those beyond in the outermost ones. Several histograms for each plane, so that few meet in one place.
kernel void sharpness_histogram(IN(in), IN(mean), IN(variance), OUT(uint, histograms), const uint width,
                                const float radius, const ulong count, const uint bins, const uint copies,
                                const uint spread) {
    const ulong part = get_global_id(0), parts = get_global_size(0), plane = get_global_id(1);
    const ulong first = plane * count, histogram = (plane * copies + part % copies) * bins;
    const tomo_sum mean = AT(mean, plane);
    const tomo_real scale = bins / (8 * sqrt(tomo_total(AT(variance, plane))));
    TOMO_FOR_SHARE(k, count, part, parts, spread) {
        if (!is_inside(k, width, count, radius))
            continue;
        const tomo_real v = LOAD_REAL(in, first + k);
        const tomo_real place = DIFFERENCE(v, mean) * scale + bins / 2;
        const int bin = place >= bins ? (int)bins - 1 : place > 0 ? (int)place : 0;
        atomic_inc(&AT(histograms, histogram + bin));
    }
}

// So many parts of each result to fewer ones.
kernel void measure_merge(IN(parts), OUT(tomo_sum, merged), const ulong count, const uint order, const uint spread) {
    const ulong part = get_global_id(1), parts = get_global_size(1), result = get_global_id(2);
    tomo_sum a = (tomo_sum)(0), b = (tomo_sum)(0);
    if (order == 0) {
        tomo_real low = INFINITY, high = -INFINITY;
        TOMO_FOR_SHARE(k, count, part, parts, spread) {
            const tomo_real l = tomo_total(AT(parts, 2 * (result * count + k)));
            const tomo_real h = tomo_total(AT(parts, 2 * (result * count + k) + 1));
            low = l < low || isnan(l) ? l : low;
            high = h > high || isnan(h) ? h : high;
        }
        a = tomo_sum_of(low), b = tomo_sum_of(high);
    } else {
        TOMO_FOR_SHARE(k, count, part, parts, spread) {
            a = tomo_merge(a, AT(parts, 2 * (result * count + k)));
            b = tomo_merge(b, AT(parts, 2 * (result * count + k) + 1));
        }
    }
    AT(merged, 2 * (result * parts + part)) = a;
    AT(merged, 2 * (result * parts + part) + 1) = b;
}

// The mean, for what is measured relative to it.
kernel void measure_mean(IN(moments), OUT(tomo_sum, mean), const ulong count) {
    const ulong i = get_global_id(0);
    AT(mean, i) = QUOTIENT(AT(moments, 2 * i), (tomo_real)count);
}

// Metrics in the order of measure.cpp.
kernel void measure_value(IN(moments), OUT(float, out), const ulong count, const uint metric) {
    const ulong i = get_global_id(0);
    const tomo_real a = tomo_total(AT(moments, 2 * i)), b = tomo_total(AT(moments, 2 * i + 1)), n = count;
    const tomo_real variance = a / n;
    tomo_real value = a; // min, sum
    if (metric == 1)     // max
        value = b;
    else if (metric == 3 || metric == 4) // mean, var
        value = variance;
    else if (metric == 5) // std
        value = sqrt(variance);
    else if (metric == 6) // skew
        value = b / n / (variance * sqrt(variance));
    else if (metric == 7) // kurtosis
        value = b / n / (variance * variance) - 3;
    AT(out, i) = (float)value;
}
