// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// `image` has a margin of search and patch radius on all sides.

#define FLOATS(name) global const float *restrict name##_base, const ulong name##_at

// The weight for a mean square difference of patches.
#define STRENGTH                                                                                             \
    global const float *restrict noise, const uint plane, const float h, const float sigma, const int estimate

static float weight(const float difference, STRENGTH) {
    const float strength = h > 0.0f ? h : noise[plane], deviation = estimate ? noise[plane] : sigma;
    if (isnan(difference))
        return 0.0f;
    const float excess = fmax(0.0f, difference - 2.0f * deviation * deviation);
    return excess > 0.0f ? exp(-excess / strength / strength) : 1.0f;
}
#define WEIGHT(difference) weight(difference, noise, plane, h, sigma, estimate)

// The weighted sum of differences to the pixel itself, and the sum of weights: so sums stay small, and their rounding,
// too.
static float mean_of(const float2 sums, const float own) { return own + sums.x / sums.y; }

static float2 with(const float2 sums, const float value, const float weight) {
    return weight > 0.0f ? (float2)(fma(weight, value, sums.x), sums.y + weight) : sums;
}

kernel void means_of_patches(FLOATS(image), OUT(float, out), const int search, const int patch,
                             global const float *restrict window, STRENGTH) {
    const int x = get_global_id(0), y = get_global_id(1), width = get_global_size(0);
    const int margin = search + patch, padded_width = width + 2 * margin;
    global const float *own = &AT(image, (ulong)(y + margin) * padded_width + x + margin);
    float2 sums = (float2)(0.0f);
    for (int dy = -search; dy <= search; dy++)
        for (int dx = -search; dx <= search; dx++) {
            global const float *other = own + dy * padded_width + dx;
            global const float *factor = window;
            float difference = 0.0f;
            for (int j = -patch; j <= patch; j++)
                for (int i = -patch; i <= patch; i++) {
                    const float d = own[j * padded_width + i] - other[j * padded_width + i];
                    difference = fma(*factor++, d * d, difference);
                }
            sums = with(sums, *other - *own, WEIGHT(difference));
        }
    AT(out, (ulong)y * width + x) = mean_of(sums, *own);
}

// The shift of that number, row by row through the square of the search.
static int2 shift_of(const uint number, const int search) {
    const uint side = 2 * search + 1;
    return (int2)((int)(number % side) - search, (int)(number / side) - search);
}

static float column_sum(global const float *restrict own, global const float *restrict other, const uint padded_width,
                        const int rows) {
    float sum = 0.0f;
    for (int j = 0; j < rows; j++) {
        const float d = own[j * padded_width] - other[j * padded_width];
        sum = fma(d, d, sum);
    }
    return sum;
}

// Squared differences to the shifted image, summed over the height of a patch; columns begin the patch radius before
// the image.
kernel void sum_columns(FLOATS(image), OUT(float, columns), const uint padded_width, const uint height,
                        const int search, const int patch, const uint first, const uint run) {
    const uint x = get_global_id(0), shift = get_global_id(2), width = get_global_size(0);
    const uint begin = get_global_id(1) * run, end = min(begin + run, height);
    const int2 by = shift_of(first + shift, search);
    const int rows = 2 * patch + 1;
    float sum = 0.0f;
    for (uint y = begin; y < end; y++) {
        global const float *own = &AT(image, (ulong)(y + search) * padded_width + x + search);
        global const float *other = own + by.y * (int)padded_width + by.x;
        const float d = own[(rows - 1) * padded_width] - other[(rows - 1) * padded_width];
        const int before = -(int)padded_width;
        // A sum that is not finite would stay so.
        if (y > begin && isfinite(sum) && isfinite(d)) {
            const float left = own[before] - other[before];
            sum = fmax(0.0f, sum + (d * d - left * left));
        } else {
            sum = column_sum(own, other, padded_width, rows);
        }
        AT(columns, tomo_index(x, y, shift, width, height)) = sum;
    }
}

kernel void means_of_columns(FLOATS(image), FLOATS(columns), OUT(float2, sums), const int search, const int patch,
                             const uint first, const uint number, STRENGTH) {
    const uint x = get_global_id(0), y = get_global_id(1), width = get_global_size(0), height = get_global_size(1);
    const int margin = search + patch, padded_width = width + 2 * margin, side = 2 * patch + 1;
    const ulong at = (ulong)y * width + x;
    global const float *own = &AT(image, (ulong)(y + margin) * padded_width + x + margin);
    float2 sum = AT(sums, at);
    for (uint shift = 0; shift < number; shift++) {
        const int2 by = shift_of(first + shift, search);
        const ulong column = tomo_index(x, y, shift, width + 2 * patch, height);
        float difference = 0.0f;
        for (int i = 0; i < side; i++)
            difference += AT(columns, column + i);
        sum = with(sum, own[by.y * padded_width + by.x] - *own, WEIGHT(difference / (side * side)));
    }
    AT(sums, at) = sum;
}

kernel void divide_sums(FLOATS(image), global const float2 *restrict sums_base, const ulong sums_at, OUT(float, out),
                        const int margin) {
    const uint x = get_global_id(0), y = get_global_id(1), width = get_global_size(0);
    const ulong i = (ulong)y * width + x;
    AT(out, i) = mean_of(AT(sums, i), AT(image, (ulong)(y + margin) * (width + 2 * margin) + x + margin));
}
