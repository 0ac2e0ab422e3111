// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Registration by the peak of the circular cross-correlation. Frequencies are signed; that of half the length of an even
// axis stands for both signs, so that shifted spectra stay those of real images.

#define reference_T float2
#define image_T float2
#define spectrum_T float2
#define rows_T tomo_sum
#define turns_T float2
#define turns_x_T float2
#define turns_y_T float2

inline long signed_frequency(const uint i, const uint n) { return 2 * i > n ? (long)i - n : (long)i; }

inline float2 times(const float2 a, const float2 b) { return (float2)(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }

// conj(reference) image, weighted, without the mean. The planes of `image` become those of `out` from `first` on.
kernel void correlate(IN(reference), IN(image), OUT(float2, out), const uint first, const float sigma,
                      const int laplace) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const float u = (float)signed_frequency(x, width) / width, v = (float)signed_frequency(y, height) / height;
    const float q = 4.0f * M_PI_F * M_PI_F * (u * u + v * v);
    float2 a = LOAD(reference, tomo_index(x, y, 0, width, height));
    a.y = -a.y;
    float weight = exp(-sigma * sigma * q) * (laplace ? q * q : 1.0f);
    float2 product = times(a, LOAD(image, tomo_index(x, y, z, width, height)));
    if (x == 0 && y == 0)
        product = isfinite(product.x + product.y) ? (float2)(0.0f) : product; // a NaN stays one
    AT(out, tomo_index(x, y, first + z, width, height)) = weight * product;
}

kernel void real_part(IN(spectrum), OUT(float, out)) {
    const ulong i = get_global_id(0);
    AT(out, i) = LOAD(spectrum, i).x;
}

// Largest real part of each share of each plane and where it is, the first one of several. NaN where one is.
kernel void peaks(IN(spectrum), OUT(float, values), OUT(uint, places), const ulong count, const uint spread) {
    const ulong part = get_global_id(0), parts = get_global_size(0), plane = get_global_id(1);
    float value = -INFINITY;
    ulong place = 0;
    TOMO_FOR_SHARE(k, count, part, parts, spread) {
        const float v = LOAD(spectrum, plane * count + k).x;
        if (v > value || isnan(v)) {
            value = v;
            place = k;
        }
    }
    AT(values, plane * parts + part) = value;
    AT(places, plane * parts + part) = place;
}

// exp(2 pi i f p / (steps n)) for frequency number i of n, in rows for p = first, first + 1, ... Integers keep the phases
// exact.
kernel void make_turns(OUT(float2, turns), const long first, const uint steps) {
    const uint i = get_global_id(0), n = get_global_size(0), row = get_global_id(1);
    const long f = signed_frequency(i, n), circle = (long)n * steps;
    const float phase = 2.0f * (float)(f * (first + row) % circle) / (float)circle;
    AT(turns, (ulong)row * n + i) = (float2)(cospi(phase), 2 * i == n ? 0.0f : sinpi(phase));
}

// The inverse transform of a plane at a grid of places, whose rows and columns are those of the turns: first along y, for
// each frequency in x, then along x, as two floats whose sum is the value.
kernel void refine_rows(IN(spectrum), IN(turns), OUT(tomo_sum, out), const uint plane, const uint height) {
    const uint x = get_global_id(0), j = get_global_id(1), width = get_global_size(0);
    tomo_sum re = (tomo_sum)(0), im = (tomo_sum)(0);
    for (uint y = 0; y < height; y++) {
        const float2 v = times(LOAD(spectrum, tomo_index(x, y, plane, width, height)), AT(turns, j * height + y));
        re = tomo_add(re, v.x);
        im = tomo_add(im, v.y);
    }
    AT(out, 2 * ((ulong)j * width + x)) = re;
    AT(out, 2 * ((ulong)j * width + x) + 1) = im;
}

kernel void refine_columns(IN(rows), IN(turns), OUT(float2, out), const uint width) {
    const uint i = get_global_id(0), j = get_global_id(1);
    tomo_sum sum = (tomo_sum)(0);
    for (uint x = 0; x < width; x++) {
        const float2 t = AT(turns, i * width + x);
        const ulong k = 2 * ((ulong)j * width + x);
        sum = tomo_add(sum, tomo_total(AT(rows, k)) * t.x - tomo_total(AT(rows, k + 1)) * t.y);
    }
    const tomo_real total = tomo_total(sum);
    const float high = total;
    AT(out, (ulong)j * get_global_size(0) + i) = (float2)(high, (float)(total - high));
}

// The spectrum of plane `from` of an image, moved back by what makes these turns; NaN where that is not known.
kernel void shift(IN(image), IN(turns_x), IN(turns_y), OUT(float2, out), const uint from, const uint to,
                  const int known) {
    const uint x = get_global_id(0), y = get_global_id(1), width = get_global_size(0), height = get_global_size(1);
    const float2 moved =
        times(times(LOAD(image, tomo_index(x, y, from, width, height)), AT(turns_x, x)), AT(turns_y, y));
    AT(out, tomo_index(x, y, to, width, height)) = known ? moved : (float2)(NAN);
}
