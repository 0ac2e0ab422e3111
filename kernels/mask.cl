// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

kernel void mask(IN(in), OUT(in_T, out)) {
    const uint x = get_global_id(0), y = get_global_id(1);
    const uint width = get_global_size(0), height = get_global_size(1);
    const ulong at = tomo_index(x, y, get_global_id(2), width, height);
    // Twice the distances, so that they are integers.
    const long dx = 2 * (long)x + 1 - width, dy = 2 * (long)y + 1 - height, diameter = min(width, height);
    AT(out, at) = dx * dx + dy * dy <= diameter * diameter ? AT(in, at) : (in_T)(0);
}
