// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Line integrals by Joseph's method (IEEE Trans. Med. Imaging 1, 192 (1982)): a ray is followed line by line, along the axis
// that it is closer to, and the slice interpolated linearly along the other one. Two copies of the slice, one of them
// transposed, let neighbouring rays read neighbours in either case. Each line of them has MARGIN zeros at both ends. The
// transpose is backproject_joseph in backproject-group.cl and backproject-item.cl.

#define MARGIN 2

// Of one angle. Ray number c meets line i at start + c per_column + i per_line, in pixels with 32 bits of fraction: float
// positions would be too coarse.
typedef struct {
    long start, per_column, per_line;
    float weight; // length of the ray from line to line
    uint is_turned;
} Rays;

// The lines from x to y on which a ray is inside, and a few more for rounding.
static int2 lines_inside(const Rays *rays, const long first_position, const int lines, const int length) {
    const float slope = rays->per_line * 0x1p-32f, position = first_position * 0x1p-32f;
    if (fabs(slope) * lines <= 1.0f)
        return (int2)(0, lines);
    const float rounding = 2.0f + 0x1p-20f * (fabs(position) + length) / fabs(slope);
    const float in = (-1.0f - position) / slope, out_of = (length - position) / slope;
    return (int2)((int)clamp(fmin(in, out_of) - rounding, 0.0f, (float)lines),
                  (int)clamp(fmax(in, out_of) + rounding, 0.0f, (float)lines));
}
