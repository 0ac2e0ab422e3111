// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define LOUDER(a, b) ((b) > (a) ? (b) : (a)) // NaN does not count

kernel void column_maxima(IN(images), global float *maxima, const uint height) {
    const uint x = get_global_id(0), z = get_global_id(1), width = get_global_size(0);
    float most = -INFINITY;
    for (uint y = 0; y < height; y++)
        most = LOUDER(most, LOAD(images, tomo_index(x, y, z, width, height)));
    maxima[z * width + x] = most;
}

// The value of the circles: above all others.
kernel void brightness(global const float *maxima, const uint width, global float *values) {
    const uint z = get_global_id(0);
    float most = -INFINITY;
    for (uint x = 0; x < width; x++)
        most = LOUDER(most, maxima[z * width + x]);
    values[z] = most > 100.0f ? most + 100.0f : most > 0.0f ? 2.0f * most : isfinite(most) ? most + 1.0f : 1.0f;
}

// A circle has the pixels whose distance to the middle is nearest to the radius. `rings` has x, y and radius.
kernel void dump_ring(IN(images), OUT(float, out), global const float4 *rings, const uint count, global const float *values) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const ulong i = tomo_index(x, y, z, get_global_size(0), get_global_size(1));
    float value = LOAD(images, i);
    for (uint k = 0; k < count; k++) {
        const float4 ring = rings[k];
        const float distance = hypot((float)x - ring.x, (float)y - ring.y);
        if (distance >= ring.z - 0.5f && distance < ring.z + 0.5f) {
            value = values[z];
            break;
        }
    }
    AT(out, i) = value;
}
