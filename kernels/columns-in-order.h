// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Columns in order lie one behind another: rank r of column x of plane z is at (z columns + x) pitch + r, as a key that
// has the order of the value. The view that it came from may lie at the same place of another array. NaN is the largest
// key.
//
// LANES columns, or ranks, are the lanes of a work-item: 16 on CPU devices, one elsewhere.
//
// Behind order-key.h.

#define NAN_KEY 0xffffffffu

inline uint key_or_nan(const float value) { return isnan(value) ? NAN_KEY : key_of(value == 0.0f ? 0.0f : value); }
inline float value_or_nan(const uint key) { return key == NAN_KEY ? NAN : value_of(key); }

inline ulong column_at(const uint x, const uint z, const uint columns, const uint pitch) {
    return ((ulong)z * columns + x) * pitch;
}
