// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// `begin` is the place of plane 0 on the way, `step` the way from plane to plane.
kernel void fade(IN(in0), IN(in1), OUT(float, out), const float begin, const float step, const int is_cosine) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const ulong i = tomo_index(x, y, z, get_global_size(0), get_global_size(1));
    const float t = clamp(begin + step * z, 0.0f, 1.0f);
    const float weight = is_cosine ? 0.5f - 0.5f * cospi(t) : t;
    AT(out, i) = weight <= 0.0f   ? LOAD(in0, i)
                 : weight >= 1.0f ? LOAD(in1, i)
                                  : LOAD(in0, i) * (1.0f - weight) + LOAD(in1, i) * weight;
}
