// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A tile of the slice and what it needs of each row. A tile touches a short segment of every row. The
// segments of STAGED rows at a time are weighted, converted to float and laid into fast memory with zeros
// around the row, so that the inner loop knows neither edges nor formats.
//
// SLICES          planes that share coordinates: 1, 2, 4, 8 and, of backproject-item.cl, 16
// LANES           of them in one vector
// TILE_W, TILE_H  pixels of a tile
// SEGMENT         most samples of a row that a tile touches: ceil(diagonal) + 4
// STAGED          rows in fast memory at a time
// BACKPROJECT_NEAREST, BACKPROJECT_JOSEPH  the modes nearest and joseph instead of linear

#define VECTORS (SLICES / LANES)

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#if LANES == 1
typedef float lanes;
#else
typedef CAT(float, LANES) lanes;
#endif

#define PLANE_1(n) ((n) < planes ? LOAD(sinograms, at + (n) * stride) : 0.0f)
#define PLANE_2(n) PLANE_1(n), PLANE_1((n) + 1)
#define PLANE_4(n) PLANE_2(n), PLANE_2((n) + 2)
#define PLANE_8(n) PLANE_4(n), PLANE_4((n) + 4)
#define PLANE_16(n) PLANE_8(n), PLANE_8((n) + 8)

// The sample `at` of LANES planes; those from `planes` on do not exist and are zero. (Vectors go by
// pointer: wide ones by value make PoCL warn of the calling convention.)
static void gather(IN(sinograms), const ulong at, const ulong stride, const int planes, const float weight,
                   lanes *value) {
    *value = weight * (lanes)(CAT(PLANE_, LANES)(0));
}

static void scatter(OUT(float, out), const ulong at, const ulong stride, const int planes,
                    const lanes *value) {
#pragma unroll
    for (int n = 0; n < LANES; n++)
        if (n < planes)
            AT(out, at + n * stride) = ((const float *)value)[n];
}

// A tile's way through one row: the pixel (x, y) of the tile meets the sample
// start + origin + x cosine + y sine, and the last three make a number from 0
// to SEGMENT - 2.
typedef struct {
    int start;
    float origin, cosine, sine, weight;
#ifdef BACKPROJECT_JOSEPH
    float narrowing; // n of `joseph`
#endif
} Segment;

static Segment place(global const Row *rows, const uint projection, const uint projections, const uint x,
                     const uint y) {
    Segment segment = {-(1 << 30), 0.0f, 0.0f, 0.0f, 0.0f}; // past the last: wholly outside of the row
    if (projection < projections) {
        global const Row *row = rows + projection;
        long u = row->origin + (long)x * row->step_x + (long)y * row->step_y;
#ifdef BACKPROJECT_NEAREST
        u += 1L << 31; // floor(h) = floor(u + 1/2)
#endif
        const float fraction = (float)(uint)u * 0x1p-32f;
        const float lowest =
            fmin(row->cosine, 0.0f) * (TILE_W - 1) + fmin(row->sine, 0.0f) * (TILE_H - 1) + fraction;
        const float shift = floor(lowest);
        segment.start = (int)(u >> 32) + (int)shift;
        segment.origin = fraction - shift;
        segment.cosine = row->cosine;
        segment.sine = row->sine;
        segment.weight = row->weight;
#ifdef BACKPROJECT_JOSEPH
        segment.narrowing = 1.0f / fmax(fabs(row->cosine), fabs(row->sine));
#endif
    }
    return segment;
}
