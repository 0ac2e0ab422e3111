// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// exp(-f^2 / (2 sigma^2)) of frequency number i of n. The ratio is squared, not sigma, whose square may be 0.
float gaussian(const uint i, const uint n, const float sigma) {
    const float ratio = (float)min(i, n - i) / sigma;
    return exp(-0.5f * ratio * ratio);
}

kernel void filter_stripes(IN(in), OUT(float2, out), const float horizontal_sigma,
                           const float vertical_sigma) {
    const uint x = get_global_id(0), y = get_global_id(1);
    const uint width = get_global_size(0), height = get_global_size(1);
    const float wx = horizontal_sigma == 0.0f ? 0.0f : gaussian(x, width, horizontal_sigma);
    const float wy = vertical_sigma == 0.0f ? (y == 0 ? 1.0f : 0.0f) : gaussian(y, height, vertical_sigma);
    const ulong at = tomo_index(x, y, get_global_id(2), width, height);
    AT(out, at) = LOAD(in, at) * (1.0f - wy * (1.0f - wx));
}
