// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// `balls`: x, y and size of each.
kernel void metaballs(OUT(float, out), global const float *restrict balls, const uint number) {
    const uint x = get_global_id(0), y = get_global_id(1);
    float sum = 0.0f;
    for (uint i = 0; i < number; i++)
        sum += balls[3 * i + 2] / hypot(balls[3 * i] - (x + 0.5f), balls[3 * i + 1] - (y + 0.5f));
    AT(out, tomo_index(x, y, 0, get_global_size(0), 0)) = sum > 1.0f ? 1.0f : 0.0f;
}
