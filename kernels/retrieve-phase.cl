// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The filters are real and symmetric. A table of theirs has the values at frequencies that are not negative,
// width / 2 + 1 by height / 2 + 1 for each distance.
static ulong table_index(const uint distance, const uint k, const uint l, const uint width, const uint height) {
    return tomo_index(k, l, distance, width / 2 + 1, height / 2 + 1);
}

#ifdef COMPLEX

// Spectra of `distances` planes become one.
kernel void phase_multiply(IN(in), OUT(float2, out), global const float *table, const uint distances) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    float2 sum = (float2)(0.0f);
    for (uint i = 0; i < distances; i++)
        sum += LOAD(in, tomo_index(x, y, z * distances + i, width, height)) *
               table[table_index(i, min(x, width - x), min(y, height - y), width, height)];
    AT(out, tomo_index(x, y, z, width, height)) = sum;
}

#else

kernel void phase_response(OUT(float, out), global const float *table, const uint distances) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    AT(out, tomo_index(x, y, z, width, height)) =
        table[table_index(z % distances, min(x, width - x), min(y, height - y), width, height)];
}

#ifdef ADDRESSING

static float padded(IN(in), const uint x, const uint y, const uint z, const uint width, const uint height,
                    const uint padded_width, const uint padded_height) {
    // In a circle the right half of the margin stands behind the image, the left one before it.
    const int column = x < width + (padded_width - width + 1) / 2 ? (int)x : (int)x - (int)padded_width;
    const int row = y < height + (padded_height - height + 1) / 2 ? (int)y : (int)y - (int)padded_height;
    const int i = tomo_address(column, width, ADDRESSING), j = tomo_address(row, height, ADDRESSING);
    return i < 0 || j < 0 ? 0.0f : LOAD(in, tomo_index(i, j, z, width, height));
}

// Columns 2 n and 2 n + 1 become one complex sample, so that the transform has half of the length.
kernel void phase_pack(IN(in), OUT(float2, packed), const uint width, const uint height) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint pairs = get_global_size(0), rows = get_global_size(1);
    AT(packed, tomo_index(x, y, z, pairs, rows)) =
        (float2)(padded(in_base, in_at, 2 * x, y, z, width, height, 2 * pairs, rows),
                 padded(in_base, in_at, 2 * x + 1, y, z, width, height, 2 * pairs, rows));
}

#endif

#define spectra_T float2
#define filtered_T float2

static float2 conjugate(const float2 a) { return (float2)(a.x, -a.y); }
static float2 times(const float2 a, const float2 b) {
    return (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}
static float2 times_i(const float2 a) { return (float2)(-a.y, a.x); }

// With Z the transform of the packed samples, E and O those of even and odd columns, and w = exp(-2 pi i k / width),
// that of the image is X[k] = E[k] + w O[k] and X[k + width / 2] = E[k] - w O[k], where 2 E[k] = Z[k] + Z*[-k] and
// 2 i O[k] = Z[k] - Z*[-k]. With a and b the filter's values at these two frequencies, the filtered samples in turn
// pack to (a + b) / 2 Z + (a - b) / 2 (w O + i w* E). The frequency with the opposite sign comes along.
kernel void phase_filter(IN(spectra), OUT(float2, filtered), global const float *table, const uint distances,
                         const uint pairs, const uint rows) {
    const uint k = get_global_id(0), l = get_global_id(1), z = get_global_id(2);
    const uint opposite_k = k ? pairs - k : 0, opposite_l = l ? rows - l : 0;
    if (l == opposite_l && k > opposite_k)
        return;
    const float turn = (float)k / (float)pairs;
    const float2 w = (float2)(cospi(turn), -sinpi(turn));
    float2 here = (float2)(0.0f), there = (float2)(0.0f);
    for (uint i = 0; i < distances; i++) {
        const uint plane = z * distances + i;
        const float2 at_k = LOAD(spectra, tomo_index(k, l, plane, pairs, rows)),
                     opposite = LOAD(spectra, tomo_index(opposite_k, opposite_l, plane, pairs, rows));
        const float2 even = 0.5f * (at_k + conjugate(opposite)),
                     odd = -0.5f * times_i(at_k - conjugate(opposite));
        const float a = table[table_index(i, k, l, 2 * pairs, rows)],
                    b = table[table_index(i, pairs - k, l, 2 * pairs, rows)];
        const float both = 0.5f * (a + b), half_difference = 0.5f * (a - b);
        const float2 turned_odd = times(w, odd);
        here += both * at_k + half_difference * (turned_odd + times_i(times(conjugate(w), even)));
        there += both * opposite +
                 half_difference * (conjugate(turned_odd) + times_i(times(w, conjugate(even))));
    }
    AT(filtered, tomo_index(k, l, z, pairs, rows)) = here;
    AT(filtered, tomo_index(opposite_k, opposite_l, z, pairs, rows)) = there;
}

kernel void phase_crop(IN(filtered), OUT(float, out), const uint pairs, const uint rows, const float scale) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const float2 pair = LOAD(filtered, tomo_index(x / 2, y, z, pairs, rows));
    const float value = x % 2 ? pair.y : pair.x;
#ifdef LOGARITHM
    AT(out, tomo_index(x, y, z, get_global_size(0), get_global_size(1))) = value > 0.0f ? scale * log(value) : NAN;
#else
    AT(out, tomo_index(x, y, z, get_global_size(0), get_global_size(1))) = value;
#endif
}

#endif
