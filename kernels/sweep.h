// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Corrections of slices by one view after another (SART). A view costs one kernel along its rays and one over the pixels:
//     q[c] = (measured[c] - A x[c]) / A 1[c]     x += relaxation A* q / A* 1, then bounds
// by Joseph's method, as forwardproject-rays.h and backproject-row.h (`joseph`) have it. For this, LANES slices lie side by
// side, as one set, so that rays along either axis read neighbours. Around a set are MARGIN zeros on each side, and so around
// the numbers q of a view. sweep-group.cl is for GPUs, sweep-lanes.cl for CPUs.

// Index of the first pixel of a set, and of the next row.
#define PITCH(width) ((width) + 2 * MARGIN)
#define FIRST_PIXEL(set, width, height) ((((ulong)(set) * PITCH(height) + MARGIN) * PITCH(width)) + MARGIN)

// Sets from slices. Global size: lanes of a row with margins, rows with margins, sets.
kernel void pack_sets(global const float *slices, global float *sets, const uint width, const uint height, const uint depth) {
    const uint lane = get_global_id(0) % LANES, x = get_global_id(0) / LANES - MARGIN, y = get_global_id(1) - MARGIN;
    const uint set = get_global_id(2), plane = set * LANES + lane;
    const bool is_inside = x < width && y < height && plane < depth;
    sets[(FIRST_PIXEL(set, width, height) + (long)(int)y * PITCH(width) + (int)x) * LANES + lane] =
        is_inside ? slices[tomo_index(x, y, plane, width, height)] : 0.0f;
}

// And back. Global size: that of the slices.
kernel void unpack_sets(global const float *sets, global float *slices) {
    const uint x = get_global_id(0), y = get_global_id(1), plane = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    slices[tomo_index(x, y, plane, width, height)] =
        sets[(FIRST_PIXEL(plane / LANES, width, height) + (ulong)y * PITCH(width) + x) * LANES + plane % LANES];
}

// What both kernels know of the shapes.
#define SHAPE                                                                                                               \
    const uint width, const uint height, const uint depth, const uint columns, const uint views, const uint view
