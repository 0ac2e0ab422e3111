// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Comes before every kernel file.
//
// An array is two arguments, a base and an offset in samples:
//
//     kernel void twice(IN(in), OUT(float, out))
//     {
//         const size_t i = get_global_id(0);
//         AT(out, i) = 2.0f * LOAD(in, i);
//     }
//
// The type of an IN is a build option of the host (in_T), because streams have many; LOAD gives its sample as
// float, or as float2 where it is complex. Samples of float16 are only ever loaded and stored.

#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define TOMO_JOIN_(a, b) a##b
#define TOMO_JOIN(a, b) TOMO_JOIN_(a, b)

#define IN(name) global const name##_T *restrict name##_base, const ulong name##_at
#define OUT(type, name) global type *restrict name##_base, const ulong name##_at
#define AT(name, i) name##_base[name##_at + (i)]
#define LOAD(name, i) TOMO_JOIN(tomo_load_, name##_T)(name##_base, name##_at + (i))

#define TOMO_LOAD(type)                                                                                      \
    inline float tomo_load_##type(global const type *base, const ulong i) { return (float)base[i]; }
TOMO_LOAD(uchar)
TOMO_LOAD(ushort)
TOMO_LOAD(uint)
TOMO_LOAD(short)
TOMO_LOAD(int)
TOMO_LOAD(float)
#ifdef cl_khr_fp64
TOMO_LOAD(double)
#endif
inline float tomo_load_half(global const half *base, const ulong i) { return vload_half(i, base); }
inline float2 tomo_load_float2(global const float2 *base, const ulong i) { return base[i]; }

// What float32 is too short for: large integers, samples of float64, long sums. A tomo_real is a double, or a
// float on devices without (TOMO_COMPENSATED pretends to be one). A tomo_sum has eight bytes: a double, or a
// float and what its rounding lost.
#if defined(cl_khr_fp64) && !defined(TOMO_COMPENSATED)
typedef double tomo_real;
typedef double tomo_sum;
inline tomo_sum tomo_add(const tomo_sum sum, const tomo_real value) { return sum + value; }
inline tomo_sum tomo_merge(const tomo_sum a, const tomo_sum b) { return a + b; }
inline tomo_real tomo_total(const tomo_sum sum) { return sum; }
#else
typedef float tomo_real;
typedef float2 tomo_sum;
// Knuth, The Art of Computer Programming, vol. 2, 4.2.2, theorem B: the rounding error of a sum, exactly.
inline tomo_sum tomo_add(const tomo_sum sum, const tomo_real value) {
    const float total = sum.x + value;
    const float other = total - sum.x;
    const float lost = (sum.x - (total - other)) + (value - other);
    return (tomo_sum)(total, sum.y + (isfinite(total) ? lost : 0.0f));
}
inline tomo_sum tomo_merge(const tomo_sum a, const tomo_sum b) {
    const tomo_sum sum = tomo_add(a, b.x);
    return (tomo_sum)(sum.x, sum.y + b.y);
}
inline tomo_real tomo_total(const tomo_sum sum) { return sum.x + sum.y; }
#endif

// A sample as tomo_real.
#define LOAD_REAL(name, i) TOMO_JOIN(tomo_load_real_, name##_T)(name##_base, name##_at + (i))
#define TOMO_LOAD_REAL(type)                                                                                 \
    inline tomo_real tomo_load_real_##type(global const type *base, const ulong i) { return (tomo_real)base[i]; }
TOMO_LOAD_REAL(uchar)
TOMO_LOAD_REAL(ushort)
TOMO_LOAD_REAL(uint)
TOMO_LOAD_REAL(short)
TOMO_LOAD_REAL(int)
TOMO_LOAD_REAL(float)
#ifdef cl_khr_fp64
TOMO_LOAD_REAL(double)
#endif
inline tomo_real tomo_load_real_half(global const half *base, const ulong i) { return vload_half(i, base); }

// Loops over what work-item `part` of `parts` takes of n items: neighbours on CPU devices, else (spread) every
// parts-th, so that neighbouring work-items read neighbours.
#define TOMO_FOR_SHARE(k, n, part, parts, spread)                                                            \
    for (ulong k##_length = ((n) + (parts) - 1) / (parts), k = (spread) ? (part) : (part) * k##_length,     \
               k##_end = (spread) ? (n) : min((ulong)(n), k + k##_length);                                   \
         k < k##_end; k += (spread) ? (parts) : 1)

// Index of sample (x, y, z) of a packed array.
inline ulong tomo_index(const uint x, const uint y, const uint z, const uint width, const uint height) {
    return ((ulong)z * height + y) * width + x;
}

// Index of 0 .. n - 1 that stands at i in the addressing mode of that number (gst/tomo/bases/addressing.hpp), negative
// where nothing does: 0 none, 1 clamp, 2 clamp_to_edge, 3 repeat, 4 mirrored_repeat.
inline int tomo_address(const int i, const int n, const int mode) {
    if (mode == 2)
        return clamp(i, 0, n - 1);
    if (mode == 3) {
        const int m = i % n; // the remainder has the sign of i
        return m < 0 ? m + n : m;
    }
    if (mode == 4) {
        const uint period = 2u * (uint)n;
        const uint m = i < 0 ? period - 1 - (uint)(-(i + 1)) % period : (uint)i % period;
        return m < (uint)n ? m : period - 1 - m;
    }
    return i < n ? i : -1;
}
