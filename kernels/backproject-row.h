// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parallel beam backprojection: sinograms (width x projections) into slices (roi_width x roi_height), `depth`
// independent planes in one launch.
//
// Slice pixel (i, j) of the region of interest has its centre at
//     bx = i + roi_x - axis + 1/2,  by = j + roi_y - axis + 1/2
// from the rotation axis, and projection p, taken at the angle t, sees it at
//     h = axis + bx cos t + by sin t
// in edge coordinates: detector pixel c spans [c, c + 1). The slice is the sum over p of weight[p] times row
// p at h. With u = h - 1/2 and i = floor(u), f = u - i, a row is sampled as
//     linear   q[i] (1 - f) + q[i + 1] f
//     joseph   q[i] max(0, 1 - n f) + q[i + 1] max(0, 1 - n (1 - f)),  n = 1 / max(|cos t|, |sin t|)
//     nearest  q[floor(h)]
// with q[-1] = q[width] = 0, so that values fade to zero over the outermost half pixels; `texture` leaves
// linear interpolation to the image unit. With weight n, `joseph` is the transpose of forwardproject.cl:
// there ray c passes n |c - u| from the pixel, in pixels along the line that it is interpolated on.
//
// Why coordinates are split: single precision holds u = 2000 to 2^-13 only, and for noisy rows that error is
// far above all others. u is linear in i and j. So u of a tile's first pixel is computed in 64-bit fixed
// point with 32 bits behind the point, from numbers that the host makes in double precision: the same bits on
// every device. Its whole part becomes an index into the row, and only the way inside of the tile, less than
// a hundred pixels, is left to float.
//
// backproject-plan.cpp chooses the kernel and computes its constants:
// backproject-group.cl    a work-group makes a tile, through local memory: GPUs
// backproject-item.cl     a work-item makes a tile, its pixels or slices in SIMD lanes: CPUs, where barriers cost
// backproject-texture.cl  a work-item makes a pixel, through the image unit: GPUs
// backproject-tensor.cl   a work-group makes a tile of 32 slices on the tensor cores of NVIDIA GPUs, from half
//                         precision samples

// One projection: tomo::BackprojectRow of the host.
typedef struct {
    long origin;         // u at the region's first pixel, 32 bits behind the point
    long step_x, step_y; // change of u per pixel, cos t and sin t, likewise
    float cosine, sine;  // the same as float
    float near_origin;   // h at the region's first pixel as float, for the image unit
    float weight;
} Row;
