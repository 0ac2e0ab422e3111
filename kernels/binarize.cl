// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void binarize(IN(in), OUT(float, out), const float threshold) {
    const ulong i = get_global_id(0);
    const tomo_real v = LOAD_REAL(in, i);
    AT(out, i) = isnan(v) ? NAN : v >= threshold ? 1.0f : 0.0f;
}
