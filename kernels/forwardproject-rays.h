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

// On CPUs a sample of LANES slices is one vector, and a work-item follows COLUMNS neighbouring rays, LINES lines at a time. The
// host defines FOLLOW_LANES.
#ifdef FOLLOW_LANES
#if LANES == 1
typedef float lanes;
#else
typedef TOMO_JOIN(float, LANES) lanes;
#endif

#ifndef COLUMNS
#define COLUMNS 8
#endif
#define LINES 16
#define EIGHT (float8)(0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f)

// Sums along the rays from `first_column` on. Lines are `to_line` apart, and their samples `to_next`.
inline void follow_rays(const Rays *rays, const uint first_column, const int lines, const int length,
                        global const lanes *slice, const long to_line, const long to_next, lanes *sums) {
    const long start = rays->start + first_column * rays->per_column;
    const int2 of_first = lines_inside(rays, start, lines, length);
    const int2 of_last = lines_inside(rays, start + (COLUMNS - 1) * rays->per_column, lines, length);
    const int end = max(of_first.y, of_last.y);
    const float8 ways = EIGHT * (rays->per_column * 0x1p-32f);
    for (int n = 0; n < COLUMNS; n++)
        sums[n] = (lanes)(0.0f);
    for (int first = min(of_first.x, of_last.x); first < end; first += LINES) {
        // The numbers go through memory, from which one of them is spread to all lanes as it is loaded.
        int8 indices[LINES];
        float8 fractions[LINES];
        for (int i = 0; i < LINES; i++) {
            const long at = start + (first + i) * rays->per_line;
            const float8 position = (uint)at * 0x1p-32f + ways, below = floor(position);
            fractions[i] = position - below;
            const int8 index = clamp(convert_int8(below) + (int)(at >> 32), -MARGIN, length);
            indices[i] = first + i < lines ? index : (int8)(-MARGIN);
        }
#pragma unroll 1
        for (int n = 0; n < COLUMNS; n++) {
            lanes total[2] = {(lanes)(0.0f), (lanes)(0.0f)};
#pragma unroll
            for (int i = 0; i < LINES; i++) {
                global const lanes *sample =
                    slice + min(first + i, lines - 1) * to_line + ((const int *)&indices[i])[n] * to_next;
                const float fraction = ((const float *)&fractions[i])[n];
                total[i % 2] += sample[0] * (1.0f - fraction);
                total[i % 2] += sample[to_next] * fraction;
            }
            sums[n] += total[0] + total[1];
        }
    }
}
#endif
