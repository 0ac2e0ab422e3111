// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// A float between -2^22 and 2^22 plus this is rounded to a whole number, which its bits hold.
#define ROUNDING 12582912.0f // 1.5 * 2^23
#define ROUNDING_BITS 0x4b400000u
