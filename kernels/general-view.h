// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where a voxel is seen in any geometry. Volumes lie with axis l fastest, then m, then n: z, x, y, or x, y, z. Projections lie
// accordingly with their fast axis first, f, then s: rows, columns, or columns, rows. So neighbours in l are neighbours in a
// projection, or nearly.

#define BORDER 2 // texels around a projection

// A kernel makes a part of a volume, and has a window of the detector. Both change no bit: numbers of voxels, tiles and
// columns of them, and pixels are those of the whole.
//     uint4 part: first lane, lanes, first plane, planes
//     int4 window: first f and s, and how many f and s the whole detector has; `fasts` and `slows` are those of the window

// Factors of l, m and n, and the constant: f = fast / depth, s = slow / depth, times weight / distance^2.
typedef struct {
    tomo_real fast[4], slow[4], depth[4], distance[4], weight, unused[3];
} View;

static tomo_real at(global const tomo_real *form, const tomo_real l, const tomo_real m, const tomo_real n) {
    return form[0] * l + form[1] * m + form[2] * n + form[3];
}

// With PER_PLANE, each n of the part has views of its own.
#ifdef PER_PLANE
#define VIEW(views, n, v) (views) + ((n) - part.z) * BURST + (v)
#else
#define VIEW(views, n, v) (views) + (v)
#endif
