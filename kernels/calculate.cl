// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Frame of the kernel that tomocalculate makes of the user's expression.

#define TOMO_COLUMN get_global_id(0)
#define TOMO_ROW get_global_id(1)

kernel void calculate(IN(in), OUT(float, out), const uint depth) {
    const int width = get_global_size(0), height = get_global_size(1); // signed, as all that expressions see
    const ulong at = tomo_index(TOMO_COLUMN, TOMO_ROW, get_global_id(2), width, height);
    const float v = LOAD(in, at);
#if DIMENSIONS == 1
    const long x = at;
    const long size = (ulong)width * height * depth;
#else
    const int x = TOMO_COLUMN, y = TOMO_ROW;
    const long index = at;
#endif
    AT(out, at) = (EXPRESSION);
}
