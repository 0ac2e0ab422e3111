// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The real part of the top left corner of each plane.
kernel void crop_real(IN(in), OUT(float, out), const uint width, const uint height) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    AT(out, tomo_index(x, y, z, get_global_size(0), get_global_size(1))) =
        LOAD(in, tomo_index(x, y, z, width, height)).x;
}
