// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sums for tomoaverage: eight bytes for each sample, a double or, on devices without it, a float and what its
// rounding lost.

// Whether in_T is one of the types whose values need care.
#define IS_half 1
#define INTEGER_uint 1
#define INTEGER_int 1

#if TOMO_JOIN(IS_, in_T)
#define SAMPLE(i) LOAD(in, i)
#else
#define SAMPLE(i) AT(in, i)
#endif

#if defined(cl_khr_fp64) && !defined(AVERAGE_COMPENSATED)

typedef double Sum;

static Sum add(const Sum sum, const double value) { return sum + value; }
static float mean(const Sum sum, const ulong count) { return (float)(sum / (double)count); }
#define PLUS(sum, i) add(sum, (double)SAMPLE(i))

#else

typedef float2 Sum;

// Knuth, The Art of Computer Programming, vol. 2, 4.2.2, theorem B: the rounding error of a sum, exactly.
static Sum add(const Sum sum, const float value) {
    const float total = sum.x + value;
    const float other = total - sum.x;
    const float lost = (sum.x - (total - other)) + (value - other);
    return (Sum)(total, sum.y + (isfinite(total) ? lost : 0.0f));
}
static float mean(const Sum sum, const ulong count) { return (sum.x + sum.y) / (float)count; }
#if TOMO_JOIN(INTEGER_, in_T)
static Sum add_integer(const Sum sum, const long value) {
    const float rounded = (float)value;
    return add(add(sum, rounded), (float)(value - (long)rounded));
}
#define PLUS(sum, i) add_integer(sum, SAMPLE(i))
#else
#define PLUS(sum, i) add(sum, (float)SAMPLE(i))
#endif

#endif

kernel void average_add(IN(in), OUT(Sum, sum)) {
    const ulong i = get_global_id(0);
    AT(sum, i) = PLUS(AT(sum, i), i);
}

kernel void average_mean(global const Sum *restrict sum_base, const ulong sum_at, OUT(float, out),
                         const ulong count) {
    const ulong i = get_global_id(0);
    AT(out, i) = mean(AT(sum, i), count);
}
