// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef KEEP_HALF
#define KEPT half
#else
#define KEPT float
#endif

// A projection to its place in a block, with zeros around it.
kernel void keep(IN(in), OUT(KEPT, out), const int width, const int height) {
    const int i = get_global_id(0), j = get_global_id(1), column = i - 1, row = j - 1;
    const bool is_inside = column >= 0 && column < width && row >= 0 && row < height;
    const float value = is_inside ? LOAD(in, (ulong)row * width + column) : 0.0f;
    const ulong at = (ulong)j * get_global_size(0) + i;
#ifdef KEEP_HALF
    vstore_half(value, out_at + at, out_base);
#else
    AT(out, at) = value;
#endif
}
