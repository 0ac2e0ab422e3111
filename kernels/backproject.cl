// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Parallel beam backprojection: sinograms (width x projections) into slices
// (roi_width x roi_height), `depth` independent planes in one launch.
//
// Slice pixel (i, j) of the region of interest has its centre at
//     bx = i + roi_x - axis + 1/2,  by = j + roi_y - axis + 1/2
// from the rotation axis, and projection p, taken at the angle t, sees it at
//     h = axis + bx cos t + by sin t
// in edge coordinates: detector pixel c spans [c, c + 1). The slice is the sum
// over p of weight[p] times row p at h. The mode `linear` interpolates between
// pixel centres: with u = h - 1/2 and i = floor(u) it takes
//     q[i] (1 - (u - i)) + q[i + 1] (u - i),  q[-1] = q[width] = 0,
// so that values fade to zero over the outermost half pixels. `nearest` takes
// q[floor(h)]. `texture` leaves the interpolation to the image unit.
//
// Why coordinates are split: single precision holds u = 2000 to 2^-13 only, and
// for noisy rows that error is far above all others. u is linear in i and j.
// So u of a tile's first pixel is computed in 64-bit fixed point with 32 bits
// behind the point, from numbers that the host makes in double precision: the
// same bits on every device. Its whole part becomes an index into the row, and
// only the way inside of the tile, less than a hundred pixels, is left to float.
//
// A tile touches a short segment of every row. The segments of STAGED rows at a
// time are weighted, converted to float and laid into fast memory with zeros
// around the row, so that the inner loop knows neither edges nor formats.
//
// backproject-plan.cpp chooses the variant and computes its constants:
// BACKPROJECT_GROUP    a work-group makes a tile, through local memory: GPUs
// BACKPROJECT_ITEM     a work-item makes a tile, through private memory: CPUs,
//                      where barriers cost and SIMD lanes are there for the asking
// BACKPROJECT_TEXTURE  a work-item makes a pixel, through the image unit: GPUs
// BACKPROJECT_TENSOR   a work-group makes a tile of 32 slices on the tensor cores of NVIDIA GPUs, from half
//                      precision samples: see there
// BACKPROJECT_NEAREST  with GROUP or ITEM: the mode nearest instead of linear
// SLICES               planes that share coordinates: 1, 2, 4, 8; ITEM also 16; not of TEXTURE
// GROUP_W, GROUP_H     work-group of GROUP
// TILE_W, TILE_H       pixels of a tile: of GROUP, GROUP_W and a multiple of GROUP_H;
//                      of ITEM, a multiple of 8 and anything
// SEGMENT              most samples of a row that a tile touches: ceil(diagonal) + 4
// STAGED               rows in fast memory at a time

// One projection: tomo::BackprojectRow of the host.
typedef struct {
    long origin;         // u at the region's first pixel, 32 bits behind the point
    long step_x, step_y; // change of u per pixel, cos t and sin t, likewise
    float cosine, sine;  // the same as float
    float near_origin;   // h at the region's first pixel as float, for the image unit
    float weight;
} Row;

#ifdef BACKPROJECT_TEXTURE

// One plane of any format to the image of floats that backproject_texture reads.
kernel void backproject_fill_image(IN(in), write_only image2d_t image, const uint plane) {
    const int x = get_global_id(0), y = get_global_id(1);
    const ulong width = get_global_size(0), height = get_global_size(1);
    write_imagef(image, (int2)(x, y), (float4)(LOAD(in, (plane * height + y) * width + x)));
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

#else

// Planes of one vector. More than four as one vector would make work-items of a
// GPU collide in the banks of local memory.
#if defined(BACKPROJECT_GROUP) && SLICES > 4
#define LANES 4
#else
#define LANES SLICES
#endif
#define VECTORS (SLICES / LANES)

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#if LANES == 1
typedef float lanes;
#else
typedef CAT(float, LANES) lanes;
#endif

#define PLANE_1(n) ((n) < planes ? LOAD(in, at + (n)*stride) : 0.0f)
#define PLANE_2(n) PLANE_1(n), PLANE_1((n) + 1)
#define PLANE_4(n) PLANE_2(n), PLANE_2((n) + 2)
#define PLANE_8(n) PLANE_4(n), PLANE_4((n) + 4)
#define PLANE_16(n) PLANE_8(n), PLANE_8((n) + 8)

// The sample `at` of LANES planes; those from `planes` on do not exist and are zero. (Vectors go by
// pointer: wide ones by value make PoCL warn of the calling convention.)
static void gather(IN(in), const ulong at, const ulong stride, const int planes, const float weight,
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
    }
    return segment;
}

// Rounding may take a position below zero by 1e-5; conversion to int truncates,
// so that it still meets the first sample.
#ifdef BACKPROJECT_NEAREST
#define KERNEL backproject_nearest
#define ACCUMULATE(sum, samples, index, fraction) sum += (samples)[index]
#else
#define KERNEL backproject_linear
#define ACCUMULATE(sum, samples, index, fraction)                                                            \
    do {                                                                                                     \
        sum += (samples)[index] * (1.0f - (fraction));                                                       \
        sum += (samples)[(index) + 1] * (fraction);                                                          \
    } while (0)
#endif

#endif

#ifdef BACKPROJECT_GROUP

#define PIXELS (TILE_H / GROUP_H)

kernel __attribute__((reqd_work_group_size(GROUP_W, GROUP_H, 1))) void
KERNEL(IN(in), OUT(float, out), global const Row *restrict rows, const uint width, const uint projections,
       const uint depth, const uint roi_width, const uint roi_height) {
    local Segment segments[2][STAGED];
    local lanes samples[VECTORS][STAGED][SEGMENT];

    const uint item = get_local_id(1) * GROUP_W + get_local_id(0);
    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H, z = get_group_id(2) * SLICES;
    const float in_x = get_local_id(0), in_y = get_local_id(1) * PIXELS;
    const ulong in_stride = (ulong)width * projections;

    lanes sum[PIXELS][VECTORS];
#pragma unroll
    for (int k = 0; k < PIXELS; k++)
#pragma unroll
        for (int v = 0; v < VECTORS; v++)
            sum[k][v] = (lanes)(0.0f);

    for (uint r = item; r < STAGED; r += GROUP_W * GROUP_H)
        segments[0][r] = place(rows, r, projections, x, y);
    barrier(CLK_LOCAL_MEM_FENCE);

    int turn = 0;
    for (uint first = 0; first < projections; first += STAGED, turn ^= 1) {
        for (uint r = item; r < STAGED; r += GROUP_W * GROUP_H)
            segments[turn ^ 1][r] = place(rows, first + STAGED + r, projections, x, y);
        for (uint k = item; k < STAGED * SEGMENT; k += GROUP_W * GROUP_H) {
            const uint r = k / SEGMENT, c = k % SEGMENT;
            const uint column = segments[turn][r].start + c; // left of the row it wraps and is large
            const ulong at = z * in_stride + (ulong)(first + r) * width + column;
            for (int v = 0; v < VECTORS; v++) {
                lanes value = (lanes)(0.0f);
                if (column < width)
                    gather(in_base, in_at, at + v * LANES * in_stride, in_stride,
                           (int)(depth - z) - v * LANES, segments[turn][r].weight, &value);
                samples[v][r][c] = value;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (int r = 0; r < STAGED; r++) {
            const Segment segment = segments[turn][r];
            const float base = segment.origin + in_x * segment.cosine + in_y * segment.sine;
#if PIXELS > 1 && !defined(BACKPROJECT_NEAREST)
            // Local memory is the limit. Two pixels one above the other lie less than a sample apart, so that
            // three samples serve both.
#pragma unroll
            for (int k = 0; k < PIXELS; k += 2) {
                const float position = base + (float)k * segment.sine;
                const int index = (int)(position + fmin(segment.sine, 0.0f));
                const float upper = position - (float)index, lower = upper + segment.sine;
#pragma unroll
                for (int v = 0; v < VECTORS; v++) {
                    const lanes a = samples[v][r][index], b = samples[v][r][index + 1],
                                c = samples[v][r][index + 2];
                    sum[k][v] += a * clamp(1.0f - upper, 0.0f, 1.0f);
                    sum[k][v] += b * clamp(1.0f - fabs(upper - 1.0f), 0.0f, 1.0f);
                    sum[k][v] += c * clamp(upper - 1.0f, 0.0f, 1.0f);
                    sum[k + 1][v] += a * clamp(1.0f - lower, 0.0f, 1.0f);
                    sum[k + 1][v] += b * clamp(1.0f - fabs(lower - 1.0f), 0.0f, 1.0f);
                    sum[k + 1][v] += c * clamp(lower - 1.0f, 0.0f, 1.0f);
                }
            }
#else
#pragma unroll
            for (int k = 0; k < PIXELS; k++) {
                const float position = base + (float)k * segment.sine;
                const int index = (int)position;
                const float fraction = position - (float)index;
#pragma unroll
                for (int v = 0; v < VECTORS; v++)
                    ACCUMULATE(sum[k][v], samples[v][r], index, fraction);
            }
#endif
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const uint i = x + get_local_id(0);
    const ulong out_stride = (ulong)roi_width * roi_height;
#pragma unroll
    for (int k = 0; k < PIXELS; k++) {
        const uint j = y + get_local_id(1) * PIXELS + k;
        if (i < roi_width && j < roi_height) {
#pragma unroll
            for (int v = 0; v < VECTORS; v++)
                scatter(out_base, out_at, (z + v * LANES) * out_stride + (ulong)j * roi_width + i, out_stride,
                        (int)(depth - z) - v * LANES, &sum[k][v]);
        }
    }
}

#endif

#ifdef BACKPROJECT_ITEM

// Lays the segments of STAGED rows from `first` on into `samples`. (The last eight samples of each are
// never used; a single slice loads beyond what it picks.)
static void stage(IN(in), global const Row *rows, const uint first, const uint width, const uint projections,
                  const uint depth, const uint x, const uint y, const uint z, Segment *segments,
                  lanes (*samples)[SEGMENT + 8]) {
    const ulong stride = (ulong)width * projections;
    const int planes = min(depth - z, (uint)SLICES);
    for (int r = 0; r < STAGED; r++) {
        const Segment segment = place(rows, first + r, projections, x, y);
        segments[r] = segment;
        const ulong row = z * stride + (ulong)(first + r) * width;
        // The samples from `begin` to `end` of the segment lie in the row.
        const int begin = clamp(-segment.start, 0, SEGMENT);
        const int end = clamp((int)width - segment.start, begin, SEGMENT);
        for (int c = 0; c < begin; c++)
            samples[r][c] = (lanes)(0.0f);
        if (planes == SLICES) // a constant for the compiler
            for (int c = begin; c < end; c++)
                gather(in_base, in_at, row + (ulong)(segment.start + c), stride, SLICES, segment.weight,
                       &samples[r][c]);
        else
            for (int c = begin; c < end; c++)
                gather(in_base, in_at, row + (ulong)(segment.start + c), stride, planes, segment.weight,
                       &samples[r][c]);
        for (int c = end; c < SEGMENT; c++)
            samples[r][c] = (lanes)(0.0f);
    }
}

#endif

#ifdef BACKPROJECT_TENSOR

// Linear interpolation is a product of matrices: out[pixel, slice] = sum over samples of w[pixel, sample]
// v[sample, slice] with the hat function w = max(0, 1 - |u - sample|). Sixteen pixels of a 4 x 4 block meet
// at most seven neighbouring samples of a projection, eight when they begin at an even one. So the samples of
// two projections make a product of 16 pixels x 16 samples by 16 samples x 8 slices, which is one instruction
// of a tensor core (mma.m16n8k16 of PTX: half precision factors, float sums). 32 slices share the weights.
//
// backproject_peak and backproject_pack come first: samples times weight and a power of two that brings the
// largest near 2^14, as half pairs (2 c, 2 c + 1), 32 slices side by side: for each set of 32 slices
// projections x pairs x 32.

#define SET 32                      // slices
#define PAIRS (SEGMENT / 2)         // of a segment
#define VECTORS_OF_PAIR (SET / 4)   // of four words
#define PITCH (VECTORS_OF_PAIR + 2) // in vectors: the loads of a warp meet different banks
#define THREADS (8 * TILE_W)        // a warp for each column of blocks
#define BLOCKS (TILE_H / 4)         // of a column
#define TOGETHER 2                  // blocks whose products alternate
#define ROUNDS ((STAGED * PAIRS * VECTORS_OF_PAIR + THREADS - 1) / THREADS) // vectors that a work-item stages
#define COLUMNS 64                  // of a tile of backproject_pack
#define PACKERS 256                 // its work-items

kernel void backproject_peak(IN(in), OUT(uint, peak), global const Row *rows, const uint width,
                             const uint projections) {
    local uint highest;
    if (get_local_id(0) == 0)
        highest = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    // One work-group for each row. What is not finite doesn't count.
    const uint row = get_group_id(0);
    float most = 0.0f;
    for (uint c = get_local_id(0); c < width; c += get_local_size(0)) {
        const float value = fabs(LOAD(in, (ulong)row * width + c));
        most = fmax(most, isfinite(value) ? value : 0.0f);
    }
    atomic_max(&highest, as_uint(most * fabs(rows[row % projections].weight)));
    barrier(CLK_LOCAL_MEM_FENCE);
    if (get_local_id(0) == 0)
        atomic_max(&AT(peak, 0), highest);
}

// 2^n that brings the peak to 2^14 .. 2^15.
static float scale_of(const uint peak) {
    return peak == 0 ? 1.0f : ldexp(1.0f, clamp(14 - ilogb(as_float(peak)), -126, 126));
}

// Two floats as halfs in one word.
static uint half_pair(const float low, const float high) {
    uint pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

kernel __attribute__((reqd_work_group_size(COLUMNS, PACKERS / COLUMNS, 1))) void
backproject_pack(IN(in), OUT(uint, packed), global const uint *peak, global const Row *rows,
                 const uint width, const uint projections, const uint depth, const uint pairs) {
    local float tile[SET][COLUMNS + 1];
    const uint first = get_group_id(0) * COLUMNS, projection = get_group_id(1);
    const uint z = get_group_id(2) * SET;
    const float weight = rows[projection].weight * scale_of(*peak);
    const uint column = first + get_local_id(0);
    for (uint n = get_local_id(1); n < SET; n += PACKERS / COLUMNS) {
        const ulong at = ((ulong)(z + n) * projections + projection) * width + column;
        tile[n][get_local_id(0)] = column < width && z + n < depth ? weight * LOAD(in, at) : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint item = get_local_id(1) * COLUMNS + get_local_id(0);
    const ulong row = ((ulong)get_group_id(2) * projections + projection) * pairs + first / 2;
    for (uint k = item; k < SET * COLUMNS / 2; k += PACKERS) {
        const uint pair = k / SET, n = k % SET;
        if (first / 2 + pair >= pairs)
            continue;
        const float2 value = (float2)(tile[n][2 * pair], tile[n][2 * pair + 1]);
        AT(packed, (row + pair) * SET + n) = half_pair(value.x, value.y);
    }
}

// max(0, 1 - |distance|)
static float hat(const float distance) {
    float weight;
    asm("{ .reg .f32 a; abs.f32 a, %1; sub.sat.f32 %0, 0f3F800000, a; }" : "=f"(weight) : "f"(distance));
    return weight;
}

static void multiply_add(float *c, const uint *a, const uint b0, const uint b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Where a tile's blocks meet a row: `lowest` is the least position in a block at the tile's corner, less 1.
typedef struct {
    float origin, cosine, sine, lowest;
} Strip;

static Strip place_strip(global const Row *rows, const uint projection, const uint projections, const uint x,
                         const uint y, local int *pair) {
    const Segment segment = place(rows, projection, projections, x, y);
    // From an even sample, and one pair earlier, so that rounding finds a pair.
    *pair = (segment.start >> 1) - 1;
    Strip strip = {segment.origin + (float)(segment.start - 2 * *pair), segment.cosine, segment.sine, 0.0f};
    strip.lowest = strip.origin + 3.0f * (fmin(strip.cosine, 0.0f) + fmin(strip.sine, 0.0f)) - 1.0f;
    return strip;
}

// Where numbers are two apart: adding it rounds to an even number, and the difference of the bit patterns is
// half of that number.
#define EVEN 25165824.0f

kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void
backproject_tensor(global const uint4 *packed, OUT(float, out), global const uint *peak,
                   global const Row *restrict rows, const uint pairs, const uint projections,
                   const uint depth, const uint roi_width, const uint roi_height) {
    local Strip strips[2][STAGED];
    local int first_pairs[STAGED];
    local uint4 samples[STAGED * PAIRS * PITCH];

    const uint item = get_local_id(0), lane = item % 32, warp = item / 32;
    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H;
    packed += (ulong)get_group_id(2) * projections * pairs * VECTORS_OF_PAIR;

    // Of the matrices' elements, a work-item has the pixels `pixel` and `pixel` + 8 and two samples of each
    // projection, and of the slices 4 `pixel` .. 4 `pixel` + 3.
    const uint pixel = lane / 4, two = lane % 4;
    const float in_x = 4 * warp + pixel % 4, in_y = pixel / 4;

    float sums[BLOCKS][SET / 8][4];
#pragma unroll
    for (int b = 0; b < BLOCKS; b++)
#pragma unroll
        for (int n = 0; n < SET / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                sums[b][n][i] = 0.0f;

    if (item < STAGED)
        strips[0][item] = place_strip(rows, item, projections, x, y, &first_pairs[item]);
    barrier(CLK_LOCAL_MEM_FENCE);

    uint4 next[ROUNDS];
    int turn = 0;
    for (uint first = 0;; first += STAGED, turn ^= 1) {
        // Loads of the next rows are under way while these are computed.
        if (first < projections) {
#pragma unroll
            for (int k = 0; k < ROUNDS; k++) {
                const uint at = item + k * THREADS, r = at / (PAIRS * VECTORS_OF_PAIR);
                next[k] = (uint4)(0);
                if (r < STAGED && first + r < projections) {
                    const uint pair = first_pairs[r] + at / VECTORS_OF_PAIR % PAIRS; // left of the row: large
                    if (pair < pairs)
                        next[k] = packed[((ulong)(first + r) * pairs + pair) * VECTORS_OF_PAIR +
                                         at % VECTORS_OF_PAIR];
                }
            }
        }
        if (first > 0) {
#pragma unroll
            for (int group = 0; group < BLOCKS; group += TOGETHER) {
#pragma unroll
                for (int r = 0; r < STAGED; r += 2) {
                    uint a[TOGETHER][4];
                    uint4 v[TOGETHER][2];
#pragma unroll
                    for (int q = 0; q < 2; q++) {
                        const Strip strip = strips[turn ^ 1][r + q];
                        const float u =
                            strip.origin + in_x * strip.cosine + in_y * strip.sine - (float)(2 * two);
                        const float lowest = strip.lowest + (float)(4 * warp) * strip.cosine;
#pragma unroll
                        for (int b = 0; b < TOGETHER; b++) {
                            const float down = (float)(4 * (group + b)) * strip.sine;
                            const float even = (lowest + down) + EVEN;
                            const float distance = (u + down) - (even - EVEN);
                            const float below = distance + 2.0f * strip.sine;
                            const uint first_pair = as_uint(even) - as_uint(EVEN);
                            a[b][2 * q] = half_pair(hat(distance), hat(distance - 1.0f));
                            a[b][2 * q + 1] = half_pair(hat(below), hat(below - 1.0f));
                            v[b][q] = samples[((r + q) * PAIRS + first_pair + two) * PITCH + pixel];
                        }
                    }
                    // The products for one sum as far from each other as can be.
#pragma unroll
                    for (int b = 0; b < TOGETHER; b++) {
                        multiply_add(sums[group + b][0], a[b], v[b][0].x, v[b][1].x);
                        multiply_add(sums[group + b][1], a[b], v[b][0].y, v[b][1].y);
                        multiply_add(sums[group + b][2], a[b], v[b][0].z, v[b][1].z);
                        multiply_add(sums[group + b][3], a[b], v[b][0].w, v[b][1].w);
                    }
                }
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (first >= projections)
            break;
#pragma unroll
        for (int k = 0; k < ROUNDS; k++) {
            const uint at = item + k * THREADS;
            if (at < STAGED * PAIRS * VECTORS_OF_PAIR)
                samples[at / VECTORS_OF_PAIR * PITCH + at % VECTORS_OF_PAIR] = next[k];
        }
        if (item < STAGED)
            strips[turn ^ 1][item] =
                place_strip(rows, first + STAGED + item, projections, x, y, &first_pairs[item]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    const float unscale = 1.0f / scale_of(*peak);
    const ulong plane = (ulong)roi_width * roi_height;
    const uint i = x + 4 * warp + pixel % 4;
#pragma unroll
    for (int b = 0; b < BLOCKS; b++)
#pragma unroll
        for (int n = 0; n < SET / 8; n++)
#pragma unroll
            for (int k = 0; k < 4; k++) {
                const uint z = get_group_id(2) * SET + 8 * two + k % 2 * 4 + n;
                const uint j = y + 4 * b + pixel / 4 + k / 2 * 2;
                if (z < depth && i < roi_width && j < roi_height)
                    AT(out, z * plane + (ulong)j * roi_width + i) = sums[b][n][k] * unscale;
            }
}

#endif

#if defined(BACKPROJECT_ITEM) && SLICES > 1

kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
KERNEL(IN(in), OUT(float, out), global const Row *restrict rows, const uint width, const uint projections,
       const uint depth, const uint roi_width, const uint roi_height) {
    Segment segments[STAGED];
    lanes samples[STAGED][SEGMENT + 8];
    lanes sum[TILE_H][TILE_W];

    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H, z = get_group_id(2) * SLICES;
    const int tile_w = min(roi_width - x, (uint)TILE_W), tile_h = min(roi_height - y, (uint)TILE_H);

    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < tile_w; i++)
            sum[j][i] = (lanes)(0.0f);

    for (uint first = 0; first < projections; first += STAGED) {
        stage(in_base, in_at, rows, first, width, projections, depth, x, y, z, segments, samples);
        for (int j = 0; j < tile_h; j++)
            for (int i = 0; i < tile_w; i++) {
                lanes total[2] = {(lanes)(0.0f), (lanes)(0.0f)};
#pragma unroll
                for (int r = 0; r < STAGED; r++) {
                    const float position =
                        segments[r].origin + (float)j * segments[r].sine + (float)i * segments[r].cosine;
                    const int index = (int)position;
                    const float fraction = position - (float)index;
                    ACCUMULATE(total[r % 2], samples[r], index, fraction);
                }
                sum[j][i] += total[0] + total[1];
            }
    }

    const ulong stride = (ulong)roi_width * roi_height;
    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < tile_w; i++)
            scatter(out_base, out_at, z * stride + (ulong)(y + j) * roi_width + x + i, stride, depth - z,
                    &sum[j][i]);
}

#endif

#if defined(BACKPROJECT_ITEM) && SLICES == 1

// samples[index[n]] for indices below eight; PoCL 3.1 makes `shuffle` element by element.
#if defined(__AVX2__) && defined(__has_builtin)
#if __has_builtin(__builtin_ia32_permvarsf256)
#define PICK(samples, index) __builtin_ia32_permvarsf256(vload8(0, samples), index)
#endif
#endif
#ifndef PICK
#define PICK(samples, index) shuffle(vload8(0, samples), as_uint8(index))
#endif

// A single slice: the SIMD lanes hold eight neighbouring pixels. |cos t| <= 1, so
// their samples lie within eight neighbours and are picked from one register
// rather than gathered from memory.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
KERNEL(IN(in), OUT(float, out), global const Row *restrict rows, const uint width, const uint projections,
       const uint depth, const uint roi_width, const uint roi_height) {
    Segment segments[STAGED];
    float samples[STAGED][SEGMENT + 8];
    float8 sum[TILE_H][TILE_W / 8];

    const float8 lane = (float8)(0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f);
    const uint x = get_group_id(0) * TILE_W, y = get_group_id(1) * TILE_H, z = get_group_id(2);
    const int tile_w = min(roi_width - x, (uint)TILE_W), tile_h = min(roi_height - y, (uint)TILE_H);

    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < TILE_W / 8; i++)
            sum[j][i] = (float8)(0.0f);

    for (uint first = 0; first < projections; first += STAGED) {
        stage(in_base, in_at, rows, first, width, projections, depth, x, y, z, segments, samples);
        for (int j = 0; j < tile_h; j++)
            for (int i = 0; 8 * i < tile_w; i++) {
                float8 total[2] = {(float8)(0.0f), (float8)(0.0f)};
#pragma unroll
                for (int r = 0; r < STAGED; r++) {
                    const float cosine = segments[r].cosine;
                    const float base =
                        segments[r].origin + (float)j * segments[r].sine + (float)(8 * i) * cosine;
                    const int lowest = (int)(base + fmin(7.0f * cosine, 0.0f));
                    const float8 position = (base - (float)lowest) + lane * cosine;
                    // Where rounding makes it 8, the fraction becomes 1 instead.
                    const int8 index = min(convert_int8(position), 7);
#ifdef BACKPROJECT_NEAREST
                    total[r % 2] += PICK(samples[r] + lowest, index);
#else
                    const float8 fraction = position - convert_float8(index);
                    total[r % 2] += PICK(samples[r] + lowest, index) * (1.0f - fraction);
                    total[r % 2] += PICK(samples[r] + lowest + 1, index) * fraction;
#endif
                }
                sum[j][i] += total[0] + total[1];
            }
    }

    const ulong stride = (ulong)roi_width * roi_height;
    for (int j = 0; j < tile_h; j++)
        for (int i = 0; i < tile_w; i++)
            AT(out, z * stride + (ulong)(y + j) * roi_width + x + i) = ((float *)sum[j])[i];
}

#endif
