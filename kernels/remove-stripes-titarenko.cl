// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sums of a line with weights r^|i - j|, by one work-group for each line: every work-item takes a piece of it.

// A mean and its weight: 0 where the column has none.
typedef struct {
    tomo_real value, weight;
} Sum;

inline Sum plus(const Sum a, const tomo_real factor, const Sum b) {
    const Sum sum = {a.value + factor * b.value, a.weight + factor * b.weight};
    return sum;
}

inline Sum mean_at(global const float *lines, const ulong i) {
    const float mean = lines[i];
    const bool counts = isfinite(mean);
    const Sum sum = {counts ? (tomo_real)mean : (tomo_real)0, counts ? (tomo_real)1 : (tomo_real)0};
    return sum;
}

inline tomo_real power(const tomo_real tau, const uint exponent) { return exp(-tau * exponent); }

// What the sums from left and from right have at the piece's ends, for all pieces. The line goes on as its mirror
// image in both directions without end.
static void carry(local Sum *from_left, local Sum *from_right, const uint pieces, const uint piece, const uint width,
                  const tomo_real tau) {
    const uint last = width - (pieces - 1) * piece; // columns of the last piece
    const tomo_real whole = power(tau, piece);
    Sum left = {0, 0}, right = {0, 0};
    for (uint p = 0; p < pieces; p++)
        left = plus(from_left[p], p + 1 < pieces ? whole : power(tau, last), left);
    for (uint p = pieces; p-- > 0;)
        right = plus(from_right[p], p + 1 < pieces ? whole : 1, right);
    const tomo_real period = -expm1(-2 * tau * width), line = power(tau, width);
    const Sum nothing = {0, 0};
    Sum before = plus(plus(nothing, 1 / period, right), line / period, left);
    Sum behind = plus(plus(nothing, 1 / period, left), line / period, right);
    for (uint p = 0; p < pieces; p++) {
        const Sum own = from_left[p];
        from_left[p] = before;
        before = plus(own, whole, before);
    }
    for (uint p = pieces; p-- > 0;) {
        const Sum own = from_right[p];
        from_right[p] = behind;
        behind = plus(own, p + 1 < pieces ? whole : power(tau, last), behind);
    }
}

// `lines` are means of columns, NaN where there is none; `corrections` becomes what has to be added to them. `sums`
// holds a Sum for each.
kernel void titarenko(global const float *restrict lines_base, const ulong lines_at,
                      global float *restrict corrections_base, const ulong corrections_at, global Sum *restrict sums,
                      const uint width, const float decay, local Sum *from_left, local Sum *from_right) {
    const uint items = get_local_size(0), item = get_local_id(0);
    const uint piece = (width + items - 1) / items, pieces = (width + piece - 1) / piece;
    const uint first = min(item * piece, width), end = min(first + piece, width);
    const ulong line = (ulong)get_group_id(0) * width;
    global const float *const means = lines_base + lines_at + line;
    global Sum *const left_sums = sums + line;
    const tomo_real tau = decay, r = exp(-tau);

    Sum left = {0, 0}, right = {0, 0};
    for (uint i = first; i < end; i++)
        left = plus(mean_at(means, i), r, left);
    for (uint i = end; i-- > first;)
        right = plus(mean_at(means, i), r, right);
    from_left[item] = left;
    from_right[item] = right;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item == 0)
        carry(from_left, from_right, pieces, piece, width, tau);
    barrier(CLK_LOCAL_MEM_FENCE);
    left = from_left[item];
    right = from_right[item];
    for (uint i = first; i < end; i++) {
        left = plus(mean_at(means, i), r, left);
        left_sums[i] = left;
    }
    for (uint i = end; i-- > first;) {
        const Sum own = mean_at(means, i), all = plus(left_sums[i], r, right);
        const float correction = (float)(all.value / all.weight) - means[i];
        AT(corrections, line + i) = isfinite(correction) ? correction : 0.0f;
        right = plus(own, r, right);
    }
}
