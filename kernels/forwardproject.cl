// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Line integrals by Joseph's method (IEEE Trans. Med. Imaging 1, 192 (1982)): a ray is followed line by line,
// along the axis that it is closer to, and the slice interpolated linearly along the other one. Two copies of
// the slice, one of them transposed, let neighbouring rays read neighbours in either case. Each line of them
// has two zeros at both ends. The transpose is backproject_joseph in backproject-group.cl and
// backproject-item.cl.

#define MARGIN 2

#define direct_T float
#define turned_T float

kernel void pad_slice(IN(slices), OUT(float, out), const uint width, const uint height) {
    const uint column = get_global_id(0), y = get_global_id(1), z = get_global_id(2), x = column - MARGIN;
    AT(out, tomo_index(column, y, z, get_global_size(0), height)) =
        x < width ? LOAD(slices, tomo_index(x, y, z, width, height)) : 0.0f;
}

kernel void turn_slice(IN(slices), OUT(float, out), const uint width, const uint height) {
    const uint column = get_global_id(0), x = get_global_id(1), z = get_global_id(2), y = column - MARGIN;
    AT(out, tomo_index(column, x, z, get_global_size(0), width)) =
        y < height ? LOAD(slices, tomo_index(x, y, z, width, height)) : 0.0f;
}

// Of one angle. Ray number c meets line i at start + c per_column + i per_line, in pixels with 32 bits of
// fraction: float positions would be too coarse.
typedef struct {
    long start, per_column, per_line;
    float weight; // length of the ray from line to line
    uint is_turned;
} Rays;

kernel void forwardproject(IN(direct), IN(turned), OUT(float, out), global const Rays *restrict angles,
                           const uint width, const uint height, const uint columns, const uint number) {
    const uint column = get_global_id(0), angle = get_global_id(1), z = get_global_id(2);
    if (column >= columns || angle >= number)
        return;
    const Rays rays = angles[angle];
    const int lines = rays.is_turned ? width : height, length = rays.is_turned ? height : width;
    const ulong pitch = length + 2 * MARGIN;
    global const float *slice =
        (rays.is_turned ? &AT(turned, z * lines * pitch) : &AT(direct, z * lines * pitch)) + MARGIN;

    // The lines where the ray is inside, and a few more for rounding.
    const long first_position = rays.start + column * rays.per_column;
    const float slope = rays.per_line * 0x1p-32f, position = first_position * 0x1p-32f;
    int first = 0, end = lines;
    if (fabs(slope) * lines > 1.0f) {
        const float rounding = 2.0f + 0x1p-20f * (fabs(position) + length) / fabs(slope);
        const float in = (-1.0f - position) / slope, out_of = (length - position) / slope;
        first = clamp(fmin(in, out_of) - rounding, 0.0f, (float)lines);
        end = clamp(fmax(in, out_of) + rounding, 0.0f, (float)lines);
    }

    long at = first_position + first * rays.per_line;
    float sum = 0.0f;
    while (first < end) {
        float part = 0.0f; // sums of sums lose less
        for (const int stop = min(first + 64, end); first < stop; first++, at += rays.per_line) {
            const int k = clamp((int)(at >> 32), -MARGIN, length);
            const float fraction = (uint)at * 0x1p-32f;
            global const float *sample = slice + first * pitch + k;
            part += sample[0] + fraction * (sample[1] - sample[0]);
        }
        sum += part;
    }
    AT(out, tomo_index(column, angle, z, columns, number)) = sum * rays.weight;
}
