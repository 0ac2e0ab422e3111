// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Any input to complex samples, with zeros behind it in each direction; several arrays, one behind another.
kernel void pad_to_complex(IN(in), OUT(float2, out), const uint width, const uint height, const uint depth,
                           const uint out_depth) {
    const uint x = get_global_id(0), y = get_global_id(1);
    const uint array = get_global_id(2) / out_depth, z = get_global_id(2) % out_depth;
    float2 value = (float2)(0.0f);
    if (x < width && y < height && z < depth) {
#ifdef COMPLEX
        value = LOAD(in, tomo_index(x, y, array * depth + z, width, height));
#else
        value.x = LOAD(in, tomo_index(x, y, array * depth + z, width, height));
#endif
    }
    AT(out, tomo_index(x, y, get_global_id(2), get_global_size(0), get_global_size(1))) = value;
}
