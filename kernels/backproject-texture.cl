// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection by the image unit of a GPU: a work-item makes a pixel.
#include "backproject-row.h"

// One plane of any format to the image of floats that backproject_texture reads.
kernel void backproject_fill_image(IN(sinograms), write_only image2d_t image, const uint plane) {
    const int x = get_global_id(0), y = get_global_id(1);
    const ulong width = get_global_size(0), height = get_global_size(1);
    write_imagef(image, (int2)(x, y), (float4)(LOAD(sinograms, (plane * height + y) * width + x)));
}

constant sampler_t row_sampler = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP | CLK_FILTER_LINEAR;

// The image unit rounds the fraction to 8 bits; coordinates in float are no loss.
kernel void backproject_texture(read_only image2d_t image, OUT(float, out), global const Row *restrict rows,
                                const uint projections, const uint plane, const uint roi_width,
                                const uint roi_height) {
    const uint i = get_global_id(0), j = get_global_id(1);
    if (i >= roi_width || j >= roi_height)
        return;

    float sum = 0.0f;
    for (uint p = 0; p < projections; p++) {
        const float h = rows[p].near_origin + (float)i * rows[p].cosine + (float)j * rows[p].sine;
        sum += rows[p].weight * read_imagef(image, row_sampler, (float2)(h, p + 0.5f)).x;
    }
    AT(out, ((ulong)plane * roi_height + j) * roi_width + i) = sum;
}
