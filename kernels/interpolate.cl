// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// At its ends the other one has no influence, NaN or not.
kernel void interpolate(IN(in0), IN(in1), OUT(float, out), const float fraction) {
    const ulong i = get_global_id(0);
    AT(out, i) = fraction <= 0.0f   ? LOAD(in0, i)
                 : fraction >= 1.0f ? LOAD(in1, i)
                                    : LOAD(in0, i) * (1.0f - fraction) + LOAD(in1, i) * fraction;
}
