// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Rows are summed before they are added, so that rounding errors do not grow with the number of pixels in a bin.
kernel void bin(IN(in), OUT(float, out), const uint width, const uint height, const uint size, const uint planes) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    float sum = 0.0f;
    for (uint plane = 0; plane < planes; plane++) {
        float sum_of_plane = 0.0f;
        for (uint row = 0; row < size; row++) {
            const ulong first = tomo_index(i * size, j * size + row, z * planes + plane, width, height);
            float sum_of_row = 0.0f;
            for (uint column = 0; column < size; column++)
                sum_of_row += LOAD(in, first + column);
            sum_of_plane += sum_of_row;
        }
        sum += sum_of_plane;
    }
    AT(out, tomo_index(i, j, z, get_global_size(0), get_global_size(1))) = sum;
}
