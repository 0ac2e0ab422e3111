// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The noise's standard deviation after J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image
// Understanding 64, 300 (1996): the mean of |the image convolved with the difference of two Laplacians|, times
// sqrt(pi / 2) / 6. A work item per column first, one per plane then. Pixels with a NaN around do not count.

// A sum of floats that does not lose what they round off (Kahan, Comm. ACM 8, 40 (1965)).
typedef struct {
    float sum, lost;
} Sum;

static void add(Sum *sum, const float value) {
    const float wanted = value - sum->lost;
    const float total = sum->sum + wanted;
    sum->lost = (total - sum->sum) - wanted;
    sum->sum = total;
}

// `image` has a margin of so many pixels, at least one.
kernel void noise_columns(global const float *restrict image_base, const ulong image_at, OUT(float, sums),
                          OUT(uint, counts), const uint height, const uint margin) {
    const uint x = get_global_id(0), z = get_global_id(1), width = get_global_size(0);
    const uint padded_width = width + 2 * margin;
    Sum sum = {0.0f, 0.0f};
    uint count = 0;
    for (uint y = 0; y < height; y++) {
        global const float *middle =
            &AT(image, tomo_index(x + margin, y + margin, z, padded_width, height + 2 * margin));
        global const float *above = middle - padded_width, *below = middle + padded_width;
        const float left = above[-1] - 2.0f * middle[-1] + below[-1];
        const float here = above[0] - 2.0f * middle[0] + below[0];
        const float right = above[1] - 2.0f * middle[1] + below[1];
        const float value = fabs(left - 2.0f * here + right);
        if (isnan(value))
            continue;
        add(&sum, value);
        count++;
    }
    AT(sums, (ulong)z * width + x) = sum.sum;
    AT(counts, (ulong)z * width + x) = count;
}

kernel void noise_level(global const float *restrict sums_base, const ulong sums_at,
                        global const uint *restrict counts_base, const ulong counts_at, OUT(float, level),
                        const uint width) {
    const uint z = get_global_id(0);
    Sum sum = {0.0f, 0.0f};
    ulong count = 0;
    for (uint x = 0; x < width; x++) {
        add(&sum, AT(sums, (ulong)z * width + x));
        count += AT(counts, (ulong)z * width + x);
    }
    AT(level, z) = count ? 0.20888568955258338f * sum.sum / (float)count : 0.0f;
}
