// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection on the tensor cores of NVIDIA GPUs.
#include "backproject-row.h"
#include "backproject-tile.h"

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
#define COLUMNS 64                                                          // of a tile of backproject_pack
#define PACKERS 256                                                         // its work-items

kernel void backproject_peak(IN(sinograms), OUT(uint, peak), global const Row *rows, const uint width,
                             const uint projections) {
    local uint highest;
    if (get_local_id(0) == 0)
        highest = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    // One work-group for each row. What is not finite doesn't count.
    const uint row = get_group_id(0);
    float most = 0.0f;
    for (uint c = get_local_id(0); c < width; c += get_local_size(0)) {
        const float value = fabs(LOAD(sinograms, (ulong)row * width + c));
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
backproject_pack(IN(sinograms), OUT(uint, packed), global const uint *peak, global const Row *rows,
                 const uint width, const uint projections, const uint depth, const uint pairs) {
    local float tile[SET][COLUMNS + 1];
    const uint first = get_group_id(0) * COLUMNS, projection = get_group_id(1);
    const uint z = get_group_id(2) * SET;
    const float weight = rows[projection].weight * scale_of(*peak);
    const uint column = first + get_local_id(0);
    for (uint n = get_local_id(1); n < SET; n += PACKERS / COLUMNS) {
        const ulong at = ((ulong)(z + n) * projections + projection) * width + column;
        tile[n][get_local_id(0)] = column < width && z + n < depth ? weight * LOAD(sinograms, at) : 0.0f;
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
