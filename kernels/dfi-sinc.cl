// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// A line through the origin of the slice's spectrum: tomo::Line of the host. Lines come in the order of `at`, and again
// on either side, so that each direction has its neighbours.
typedef struct {
    float at;    // direction, in steps from 0
    float share; // of a step, where several rows see one line
    uint row;
    int sense; // 1 or -1: whether the row runs along the direction or against it
} Line;

#define LONGEST 25 // samples of the kernel

inline float2 times(const float2 a, const float2 b) {
    return (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

#define SLACK 1e-3f // so that rounding does not decide about samples at the end of the kernel

// The windowed sinc at a distance, from a table of `length` values over 0 .. half_length.
inline float weight_at(global const float *table, const uint length, const float half_length, const float distance) {
    if (distance > half_length + SLACK)
        return 0.0f;
    const float place = min(distance / half_length, 1.0f) * (float)(length - 1);
    const uint i = min((uint)place, length - 1), next = min(i + 1, length - 1);
    return mix(table[i], table[next], place - (float)i);
}

// One work-item makes frequency (u, v), v >= 0, and its mirror image. `phase[middle + k]` is exp(2 pi i k s / width) with
// the shift s from the rows' first pixel to the axis.
kernel void dfi_sinc(IN(in), OUT(float2, out), global const Line *lines, const uint line_count, global const uint *first,
                     global const float *table, const uint table_length, global const float2 *phase, const int middle,
                     const int width, const int rows, const float half_length, const float steps_per_radian,
                     const float limit) {
    const int u = (int)get_global_id(0) - width / 2, v = get_global_id(1);
    const uint z = get_global_id(2);
    if (v == 0 && u < 0 && -2 * u < width)
        return; // the mirror image of another one
    const float radius = sqrt((float)u * (float)u + (float)v * (float)v);
    float2 value = 0.0f;
    if (radius < limit) {
        // Along the radius: weights times the phases that move the axis to the origin.
        const int from = (int)ceil(radius - half_length);
        const int count = min((int)floor(radius + half_length) - from + 1, LONGEST + 1);
        float2 along[LONGEST + 1];
        float sum_along = 0.0f;
        for (int i = 0; i < count; i++) {
            const float weight = weight_at(table, table_length, half_length, fabs(radius - (float)(from + i)));
            sum_along += weight;
            along[i] = weight * phase[middle + from + i];
        }
        const float at = (v == 0 ? 0.0f : atan2((float)v, (float)u)) * steps_per_radian;
        float sum_across = 0.0f, nearest = MAXFLOAT;
        for (uint j = first[(uint)at]; j < line_count && lines[j].at <= at + half_length + SLACK; j++) {
            const Line line = lines[j];
            const float distance = fabs(at - line.at);
            const float weight = line.share * weight_at(table, table_length, half_length, distance);
            nearest = min(nearest, distance);
            sum_across += weight;
            const ulong row = ((ulong)z * rows + line.row) * width;
            float2 sum = 0.0f;
            int sample = line.sense * from % width;
            sample += sample < 0 ? width : 0;
            for (int i = 0; i < count; i++) {
                sum += times(LOAD(in, row + sample), (float2)(along[i].x, line.sense * along[i].y));
                sample += line.sense;
                sample = sample == width ? 0 : sample < 0 ? width - 1 : sample;
            }
            value += weight * sum;
        }
        // Where no row is near, nothing is known. Beside such a gap the sum is small, and is not blown up.
        value = nearest > 1.0f ? (float2)(0.0f) : value / (sum_along * max(sum_across, 0.5f));
        const float2 back = times(phase[middle + u], phase[middle + v]);
        value = times(value, (float2)(back.x, -back.y));
        if (u == 0 && v == 0)
            value.y = 0.0f;
    }
    const int zero = width - width / 2; // where tomoswapquadrants takes it to the corner
    const ulong plane = (ulong)z * width * width;
    AT(out, plane + (ulong)((zero + v) % width) * width + (zero + u) % width) = value;
    AT(out, plane + (ulong)((zero + width - v) % width) * width + (zero + width - u) % width) =
        (float2)(value.x, -value.y);
}
