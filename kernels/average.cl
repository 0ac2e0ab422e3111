// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sums for tomoaverage: a tomo_sum for each sample.

#if defined(cl_khr_fp64) && !defined(TOMO_COMPENSATED)
#define PLUS(sum, i) tomo_add(sum, LOAD_REAL(in, i))
#else

// Integers that a float does not hold are added in two parts.
#define INTEGER_uint 1
#define INTEGER_int 1
#if TOMO_JOIN(INTEGER_, in_T)
inline tomo_sum add_integer(const tomo_sum sum, const long value) {
    const float rounded = (float)value;
    return tomo_add(tomo_add(sum, rounded), (float)(value - (long)rounded));
}
#define PLUS(sum, i) add_integer(sum, AT(in, i))
#else
#define PLUS(sum, i) tomo_add(sum, LOAD_REAL(in, i))
#endif

#endif

kernel void average_add(IN(in), OUT(tomo_sum, sum)) {
    const ulong i = get_global_id(0);
    AT(sum, i) = PLUS(AT(sum, i), i);
}

kernel void average_mean(global const tomo_sum *restrict sum_base, const ulong sum_at, OUT(float, out),
                         const ulong count) {
    const ulong i = get_global_id(0);
    AT(out, i) = (float)(tomo_total(AT(sum, i)) / (tomo_real)count);
}
