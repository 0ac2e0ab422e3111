// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The transform of a row in one work-group's registers and local memory, for a LENGTH of 16 .. 4096 that is a power of two:
// LENGTH = 16 x RADIX_2 x RADIX_3, those that are 1 left out. fourier::GroupFft of the host tells all three.
//
// Stockham's transform: a pass of radix R at stride S takes, for each j < LENGTH / R, the samples
// j + r LENGTH / R, turns them by exp(-2 pi i r k / (S R)), k = j mod S, transforms these R, and puts them at
// (j - k) R + k + r S; then the stride is S R. A work-item holds sixteen samples, sample i of them at
// item + i ITEMS before each pass and after the last one, so that the way back, with the passes in the
// opposite order, begins where the way there ends. (Bailey, FFTs in external or hierarchical memory, 1990,
// describes such transforms.)

#ifdef LENGTH

#define ITEMS (LENGTH / 16)
// In float2; the distance keeps work-items in different banks.
#define PLACE(i) ((i) + ((i) >> 4))

static float2 times(const float2 a, const float2 b) {
    return (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// By exp(direction 2 pi i / 4).
static float2 quarter_turn(const float2 a, const int direction) {
    return direction < 0 ? (float2)(a.y, -a.x) : (float2)(-a.y, a.x);
}

static float2 turn(const float2 a, const float cosine, const float sine, const int direction) {
    return times(a, (float2)(cosine, direction < 0 ? -sine : sine));
}

// Transforms of samples that lie `step` apart.
static void transform_2(float2 *v, const int step) {
    const float2 a = v[0], b = v[step];
    v[0] = a + b;
    v[step] = a - b;
}

static void transform_4(float2 *v, const int step, const int direction) {
    const float2 a = v[0] + v[2 * step], b = v[0] - v[2 * step];
    const float2 c = v[step] + v[3 * step], d = quarter_turn(v[step] - v[3 * step], direction);
    v[0] = a + c;
    v[step] = b + d;
    v[2 * step] = a - c;
    v[3 * step] = b - d;
}

#define COS_1 0.92387953251128674f // of pi / 8
#define SIN_1 0.38268343236508977f
#define COS_2 0.70710678118654752f

static void transform_8(float2 *v, const int step, const int direction) {
    float2 even[4] = {v[0], v[2 * step], v[4 * step], v[6 * step]};
    float2 odd[4] = {v[step], v[3 * step], v[5 * step], v[7 * step]};
    transform_4(even, 1, direction);
    transform_4(odd, 1, direction);
    odd[1] = turn(odd[1], COS_2, COS_2, direction);
    odd[2] = quarter_turn(odd[2], direction);
    odd[3] = turn(odd[3], -COS_2, COS_2, direction);
#pragma unroll
    for (int k = 0; k < 4; k++) {
        v[k * step] = even[k] + odd[k];
        v[(k + 4) * step] = even[k] - odd[k];
    }
}

static void transform_16(float2 *v, const int direction) {
#pragma unroll
    for (int n = 0; n < 4; n++)
        transform_4(v + n, 4, direction);
    v[5] = turn(v[5], COS_1, SIN_1, direction);
    v[6] = turn(v[6], COS_2, COS_2, direction);
    v[7] = turn(v[7], SIN_1, COS_1, direction);
    v[9] = turn(v[9], COS_2, COS_2, direction);
    v[10] = quarter_turn(v[10], direction);
    v[11] = turn(v[11], -COS_2, COS_2, direction);
    v[13] = turn(v[13], SIN_1, COS_1, direction);
    v[14] = turn(v[14], -COS_2, COS_2, direction);
    v[15] = turn(v[15], -COS_1, -SIN_1, direction);
    // Sample 4 k + n is the n-th of the inner transforms' results k; what follows is over n.
    float2 w[16];
#pragma unroll
    for (int k = 0; k < 4; k++) {
        float2 part[4] = {v[4 * k], v[4 * k + 1], v[4 * k + 2], v[4 * k + 3]};
        transform_4(part, 1, direction);
#pragma unroll
        for (int n = 0; n < 4; n++)
            w[k + 4 * n] = part[n];
    }
#pragma unroll
    for (int i = 0; i < 16; i++)
        v[i] = w[i];
}

// One pass. `circle` has exp(-2 pi i m / LENGTH) for all m < LENGTH / 2.
static void pass(float2 *v, const int radix, const uint stride, const int direction, const uint item,
                 global const float2 *circle) {
    const int butterflies = 16 / radix;
#pragma unroll
    for (int b = 0; b < butterflies; b++) {
        if (stride > 1) {
            const uint k = (item + b * ITEMS) % stride;
            float2 w = circle[k * (LENGTH / (stride * radix))];
            if (direction > 0)
                w.y = -w.y;
            float2 power[16];
            power[1] = w;
#pragma unroll
            for (int r = 2; r < radix; r++)
                power[r] = times(power[r / 2], power[r - r / 2]);
#pragma unroll
            for (int r = 1; r < radix; r++)
                v[b + r * butterflies] = times(v[b + r * butterflies], power[r]);
        }
        if (radix == 16)
            transform_16(v, direction);
        else if (radix == 8)
            transform_8(v + b, 2, direction);
        else if (radix == 4)
            transform_4(v + b, 4, direction);
        else
            transform_2(v + b, 8);
    }
}

// Hands the samples to the work-items that the next pass wants them at.
static void exchange(float2 *v, const int radix, const uint stride, const uint item, local float2 *shared) {
    const int butterflies = 16 / radix;
#pragma unroll
    for (int b = 0; b < butterflies; b++) {
        const uint j = item + b * ITEMS, k = j % stride;
#pragma unroll
        for (int r = 0; r < radix; r++)
            shared[PLACE((j - k) * radix + k + r * stride)] = v[b + r * butterflies];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int i = 0; i < 16; i++)
        v[i] = shared[PLACE(item + i * ITEMS)];
    barrier(CLK_LOCAL_MEM_FENCE);
}

// From item + i ITEMS to item + i ITEMS, by PLACE(LENGTH) samples of local memory. They come as an argument: PoCL 3.1 mixes up
// that which kernels declare, now and then, when it has several threads.
static void transform(float2 *v, const uint item, global const float2 *circle, local float2 *shared) {
    pass(v, 16, 1, -1, item, circle);
#if RADIX_2 > 1
    exchange(v, 16, 1, item, shared);
    pass(v, RADIX_2, 16, -1, item, circle);
#endif
#if RADIX_3 > 1
    exchange(v, RADIX_2, 16, item, shared);
    pass(v, RADIX_3, 16 * RADIX_2, -1, item, circle);
#endif
}

// The way back, times LENGTH.
static void transform_back(float2 *v, const uint item, global const float2 *circle, local float2 *shared) {
#if RADIX_3 > 1
    pass(v, RADIX_3, 1, 1, item, circle);
    exchange(v, RADIX_3, 1, item, shared);
#endif
#if RADIX_2 > 1
    pass(v, RADIX_2, RADIX_3, 1, item, circle);
    exchange(v, RADIX_2, RADIX_3, item, shared);
#endif
    pass(v, 16, RADIX_2 * RADIX_3, 1, item, circle);
}

#endif
