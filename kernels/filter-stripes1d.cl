// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void filter_stripes1d(IN(in), OUT(float2, out), const float strength) {
    const uint x = get_global_id(0), width = get_global_size(0);
    const ulong at = tomo_index(x, get_global_id(1), get_global_id(2), width, get_global_size(1));
    const float ratio = (float)min(x, width - x) / strength;
    AT(out, at) = LOAD(in, at) * -expm1(-4.0f * M_LN2_F * ratio * ratio);
}
