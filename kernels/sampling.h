// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values between the pixels of a plane. The options INTERPOLATION and ADDRESSING come from gst/tomo/bases/interpolation.hpp
// and addressing.hpp; COLUMN_ADDRESSING and ROW_ADDRESSING where the axes differ.
//
//     #include "sampling.h"
//     TOMO_SAMPLER(in)
//
// makes float in_sample(base, plane, width, height, x, y) for an array IN(in); `plane` is the index of the
// plane's first sample.

#ifndef COLUMN_ADDRESSING
#define COLUMN_ADDRESSING ADDRESSING
#define ROW_ADDRESSING ADDRESSING
#endif

// A place along an axis whose pixels have their centres at whole numbers. Kept in two parts, because a float has too
// few bits for a fraction of a pixel in a wide image.
typedef struct {
    int whole;
    float fraction; // 0 to 1
} Coordinate;

// Beyond these, there is no telling pixels apart in a float, and the neighbours' numbers still fit an int.
#define TOMO_FAR 1073741824.0f

inline Coordinate tomo_coordinate(const int whole, const float offset) {
    const float below = floor(offset);
    const Coordinate result = {whole + (int)below, offset - below};
    return result;
}
inline Coordinate tomo_coordinate_of(const float place) {
    return tomo_coordinate(0, clamp(place, -TOMO_FAR, TOMO_FAR));
}
#ifdef cl_khr_fp64
inline Coordinate tomo_coordinate_of_double(const double place) {
    const double near = clamp(place, (double)-TOMO_FAR, (double)TOMO_FAR);
    const double below = floor(near);
    const Coordinate result = {(int)below, (float)(near - below)};
    return result;
}
#endif

// Without weight the second value is not touched: infinity times 0 is NaN.
inline float tomo_between(const float first, const float second, const float fraction) {
    return fraction > 0.0f ? first * (1.0f - fraction) + second * fraction : first;
}

// Through b at 0 and c at 1, with the slopes of the chords a c and b d (Catmull and Rom, "A class of local
// interpolating splines", 1974; the kernel of Keys, 1981, with a = -1/2).
inline float tomo_catmull_rom(const float a, const float b, const float c, const float d, const float t) {
    const float t2 = t * t, t3 = t2 * t;
    return (-0.5f * t + t2 - 0.5f * t3) * a + (1.0f - 2.5f * t2 + 1.5f * t3) * b +
           (0.5f * t + 2.0f * t2 - 1.5f * t3) * c + (-0.5f * t2 + 0.5f * t3) * d;
}

#define TOMO_PIXEL(name)                                                                                     \
    inline float name##_pixel(global const name##_T *base, const ulong plane, const int width,               \
                              const int height, const int i, const int j) {                                  \
        const int column = tomo_address(i, width, COLUMN_ADDRESSING);                                        \
        const int row = tomo_address(j, height, ROW_ADDRESSING);                                             \
        return column < 0 || row < 0                                                                         \
                   ? 0.0f                                                                                    \
                   : TOMO_JOIN(tomo_load_, name##_T)(base, plane + (ulong)row * width + column);             \
    }

#if INTERPOLATION == 0

#define TOMO_SAMPLER(name)                                                                                   \
    TOMO_PIXEL(name)                                                                                         \
    inline float name##_sample(global const name##_T *base, const ulong plane, const int width,              \
                               const int height, const Coordinate x, const Coordinate y) {                   \
        return name##_pixel(base, plane, width, height, x.whole + (x.fraction >= 0.5f),                      \
                            y.whole + (y.fraction >= 0.5f));                                                 \
    }

#elif INTERPOLATION == 1

#define TOMO_SAMPLER(name)                                                                                   \
    TOMO_PIXEL(name)                                                                                         \
    inline float name##_in_row(global const name##_T *base, const ulong plane, const int width,              \
                               const int height, const Coordinate x, const int j) {                          \
        return tomo_between(name##_pixel(base, plane, width, height, x.whole, j),                            \
                            name##_pixel(base, plane, width, height, x.whole + 1, j), x.fraction);           \
    }                                                                                                        \
    inline float name##_sample(global const name##_T *base, const ulong plane, const int width,              \
                               const int height, const Coordinate x, const Coordinate y) {                   \
        return tomo_between(name##_in_row(base, plane, width, height, x, y.whole),                           \
                            name##_in_row(base, plane, width, height, x, y.whole + 1), y.fraction);          \
    }

#else

#define TOMO_SAMPLER(name)                                                                                   \
    TOMO_PIXEL(name)                                                                                         \
    inline float name##_in_row(global const name##_T *base, const ulong plane, const int width,              \
                               const int height, const Coordinate x, const int j) {                          \
        const float b = name##_pixel(base, plane, width, height, x.whole, j);                                \
        return x.fraction > 0.0f                                                                             \
                   ? tomo_catmull_rom(name##_pixel(base, plane, width, height, x.whole - 1, j), b,           \
                                      name##_pixel(base, plane, width, height, x.whole + 1, j),              \
                                      name##_pixel(base, plane, width, height, x.whole + 2, j), x.fraction)  \
                   : b;                                                                                      \
    }                                                                                                        \
    inline float name##_sample(global const name##_T *base, const ulong plane, const int width,              \
                               const int height, const Coordinate x, const Coordinate y) {                   \
        const float b = name##_in_row(base, plane, width, height, x, y.whole);                               \
        return y.fraction > 0.0f                                                                             \
                   ? tomo_catmull_rom(name##_in_row(base, plane, width, height, x, y.whole - 1), b,          \
                                      name##_in_row(base, plane, width, height, x, y.whole + 1),             \
                                      name##_in_row(base, plane, width, height, x, y.whole + 2), y.fraction) \
                   : b;                                                                                      \
    }

#endif
