// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The volume
// ------------------------------------------------------------------------------------------------------------

// Adds slices to sums over blocks of 2^shift samples in each direction.
kernel void add_slices(IN(in), const uint width, const uint height, const uint depth, const ulong slices, const uint shift,
                       global float *sums) {
    const uint x = get_global_id(0), y = get_global_id(1);
    const uint end_x = min((x + 1) << shift, width), end_y = min((y + 1) << shift, height);
    for (uint z = 0; z < depth; z++) {
        float sum = 0.0f;
        for (uint v = y << shift; v < end_y; v++)
            for (uint u = x << shift; u < end_x; u++)
                sum += LOAD(in, tomo_index(u, v, z, width, height));
        sums[tomo_index(x, y, (uint)((slices + z) >> shift), get_global_size(0), get_global_size(1))] += sum;
    }
}

kernel void halve(global const float *fine, const uint width, const uint height, const uint depth, global float *coarse) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    float sum = 0.0f;
    for (uint w = 2 * z; w < min(2 * z + 2, depth); w++)
        for (uint v = 2 * y; v < min(2 * y + 2, height); v++)
            for (uint u = 2 * x; u < min(2 * x + 2, width); u++)
                sum += fine[tomo_index(u, v, w, width, height)];
    coarse[tomo_index(x, y, z, get_global_size(0), get_global_size(1))] = sum;
}

// Means of the sums, whose last blocks may be smaller.
kernel void divide_by_count(global float *sums, const uint width, const uint height, const ulong slices, const uint shift) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const float block = (float)(1u << shift);
    const float count = min(block, (float)(width - (x << shift))) * min(block, (float)(height - (y << shift))) *
                        min(block, (float)(slices - ((ulong)z << shift)));
    sums[tomo_index(x, y, z, get_global_size(0), get_global_size(1))] /= count;
}

// The picture
// ------------------------------------------------------------------------------------------------------------

// Voxels go from edge to edge, 0 to their number; between the centres values are linear.
inline float voxel_at(global const float *volume, const int4 size, const float4 place) {
    const float4 at = place - 0.5f, whole = floor(at), part = at - whole;
    const int4 low = clamp(convert_int4(whole), (int4)(0), size - 1), high = clamp(convert_int4(whole) + 1, (int4)(0), size - 1);
    const long plane = (long)size.x * size.y;
    global const float *a = volume + low.z * plane, *b = volume + high.z * plane;
    const int top = low.y * size.x, bottom = high.y * size.x;
    const float front = mix(mix(a[top + low.x], a[top + high.x], part.x), mix(a[bottom + low.x], a[bottom + high.x], part.x),
                            part.y);
    const float back = mix(mix(b[top + low.x], b[top + high.x], part.x), mix(b[bottom + low.x], b[bottom + high.x], part.x),
                           part.y);
    return mix(front, back, part.z);
}

// Where a ray is within 0 .. size along one axis.
inline float2 within(const float origin, const float direction, const float size) {
    if (direction == 0.0f)
        return origin >= 0.0f && origin <= size ? (float2)(-MAXFLOAT, MAXFLOAT) : (float2)(MAXFLOAT, -MAXFLOAT);
    const float a = -origin / direction, b = (size - origin) / direction;
    return (float2)(min(a, b), max(a, b));
}

// How much a surface looks at the viewer.
inline float shade(global const float *volume, const int4 size, const float4 place, const float4 ahead) {
    const float4 x = (float4)(1, 0, 0, 0), y = (float4)(0, 1, 0, 0), z = (float4)(0, 0, 1, 0);
    const float4 slope =
        (float4)(voxel_at(volume, size, place + x) - voxel_at(volume, size, place - x),
                 voxel_at(volume, size, place + y) - voxel_at(volume, size, place - y),
                 voxel_at(volume, size, place + z) - voxel_at(volume, size, place - z), 0.0f);
    const float steep = length(slope);
    return steep > 0.0f ? fabs(dot(slope, ahead)) / steep : 1.0f;
}

// The view: the volume's extent, within its last voxels; steps of one pixel to the right and down; step along the ray; all in voxels. Samples
// lie at (k + 1/2) steps from `begin` on, the same planes for all rays.
kernel void render(global const float *volume, const int4 size, OUT(float, out), const float4 extent, const float4 right,
                   const float4 down, const float4 ahead, const float begin, const uint steps, const float step,
                   const float thickness, const float threshold, const float slope, const float base) {
    const uint width = get_global_size(0), height = get_global_size(1);
    const uint i = get_global_id(0), j = get_global_id(1);
    const float4 origin = 0.5f * extent + ((float)i + 0.5f - 0.5f * width) * right + ((float)j + 0.5f - 0.5f * height) * down;
    const float2 x = within(origin.x, ahead.x, extent.x), y = within(origin.y, ahead.y, extent.y),
                 z = within(origin.z, ahead.z, extent.z);
    const float from = max(max(x.x, y.x), z.x), to = min(min(x.y, y.y), z.y);
    const uint first = (uint)clamp(ceil((from - begin) / step - 0.5f), 0.0f, (float)steps);
    float result = 0.0f;
#if defined(MAXIMUM)
    float most = -INFINITY;
#elif defined(EMISSION)
    float passing = 1.0f;
#elif defined(FIRST_HIT)
    float before = NAN;
#endif
    for (uint k = first; k < steps; k++) {
        const float t = begin + ((float)k + 0.5f) * step;
        if (t > to)
            break;
        const float value = voxel_at(volume, size, origin + t * ahead);
        if (!isfinite(value))
            continue;
#if defined(MAXIMUM)
        most = max(most, value);
#elif defined(SUM)
        result += value * thickness;
#elif defined(EMISSION)
        if (value > threshold) {
            const float opacity = 1.0f - pow(1.0f - clamp(slope * (value - threshold) + base, 0.0f, 1.0f), thickness);
            result += passing * opacity * value;
            passing *= 1.0f - opacity;
            if (passing < 1e-6f)
                break;
        }
#elif defined(FIRST_HIT)
        if (value > threshold) {
            const float past = before <= threshold ? (value - threshold) / (value - before) : 0.0f;
            result = shade(volume, size, origin + (t - past * step) * ahead, ahead);
            break;
        }
        before = value;
#endif
    }
#if defined(MAXIMUM)
    result = most == -INFINITY ? 0.0f : most;
#endif
    AT(out, (ulong)j * width + i) = result;
}
