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

// Index of sample (x, y, z) of a packed array.
inline ulong tomo_index(const uint x, const uint y, const uint z, const uint width, const uint height) {
    return ((ulong)z * height + y) * width + x;
}

// Index of 0 .. n - 1 that stands at i in the addressing mode of that number (gst/tomo/addressing.hpp), negative
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
