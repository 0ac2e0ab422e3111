// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The column of a square that (m, n) comes to by quarters of a turn about its middle, from m to n. Four such columns are an
// orbit.
static uint2 turned(const uint m, const uint n, const uint side, const uint quarters) {
    const uint back_m = side - 1 - m, back_n = side - 1 - n;
    return quarters == 0   ? (uint2)(m, n)
           : quarters == 1 ? (uint2)(back_n, m)
           : quarters == 2 ? (uint2)(back_m, back_n)
                           : (uint2)(n, back_m);
}
