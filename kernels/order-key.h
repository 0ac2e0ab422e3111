// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Numbers in the same order as the floats. A NaN has its place by its sign and bits, beyond all other values.
inline uint key_of(const float value) {
    const uint bits = as_uint(value);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

inline float value_of(const uint key) { return as_float(key >> 31 ? key & 0x7fffffffu : ~key); }
