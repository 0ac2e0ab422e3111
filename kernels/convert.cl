// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Matplotlib's colour map viridis as a polynomial in t = 0 .. 1, fitted by Matt Zucker (public domain, CC0).
float3 viridis(const float t)
{
    const float3 c0 = (float3)(0.2777273272234177f, 0.005407344544966578f, 0.3340998053353061f);
    const float3 c1 = (float3)(0.1050930431085774f, 1.404613529898575f, 1.384590162594685f);
    const float3 c2 = (float3)(-0.3308618287255563f, 0.214847559468213f, 0.09509516302823659f);
    const float3 c3 = (float3)(-4.634230498983486f, -5.799100973351585f, -19.33244095627987f);
    const float3 c4 = (float3)(6.228269936347081f, 14.17993336680509f, 56.69055260068105f);
    const float3 c5 = (float3)(4.776384997670288f, -13.74514537774601f, -65.35303263337234f);
    const float3 c6 = (float3)(-5.435455855934631f, 4.645852612178535f, 26.3124352495832f);
    return c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * (c5 + t * c6)))));
}

// 0 .. 1 within the window; NaN is black.
float in_window(const float v, const float low, const float scale)
{
    return isnan(v) ? 0.0f : clamp((v - low) * scale, 0.0f, 1.0f);
}

// Rows of `stride` bytes; the unused ones at their ends are written too, so that no memory leaks out.
kernel void to_video(IN(in), OUT(uchar, out), const uint stride, const float low, const float scale,
                     const int big_endian, const int planes_are_colors, const int in_colors)
{
    const uint x = get_global_id(0), y = get_global_id(1);
    const uint width = get_global_size(0), height = get_global_size(1);
    const float t = in_window(LOAD(in, tomo_index(x, y, 0, width, height)), low, scale);
    const ulong row = (ulong)y * stride;
#if defined(RGB)
    float3 color = (float3)(t);
    if (planes_are_colors)
        color = (float3)(t, in_window(LOAD(in, tomo_index(x, y, 1, width, height)), low, scale),
                         in_window(LOAD(in, tomo_index(x, y, 2, width, height)), low, scale));
    else if (in_colors)
        color = viridis(t);
    const uchar3 bytes = convert_uchar3_sat_rte(color * 255.0f);
    AT(out, row + 3 * x) = bytes.x;
    AT(out, row + 3 * x + 1) = bytes.y;
    AT(out, row + 3 * x + 2) = bytes.z;
    const uint used = 3 * width;
#elif defined(GRAY8)
    AT(out, row + x) = convert_uchar_sat_rte(t * 255.0f);
    const uint used = width;
#else
    const ushort value = convert_ushort_sat_rte(t * 65535.0f);
    AT(out, row + 2 * x) = big_endian ? value >> 8 : value & 0xff;
    AT(out, row + 2 * x + 1) = big_endian ? value & 0xff : value >> 8;
    const uint used = 2 * width;
#endif
    if (x == 0)
        for (uint i = used; i < stride; i++)
            AT(out, row + i) = 0;
}
