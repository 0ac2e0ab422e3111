// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Means of the columns of sinograms, and what is made of them put back. The rows of a plane make `chunks` sets, the
// first ones a row larger where that does not come out even; each set has a line of values, one for each column.
//
// Samples that are not finite don't count. A column without any other has the mean NaN.

#define sums_T tomo_sum
#define counts_T uint
#define lines_T float

#ifndef COLUMNS
#define COLUMNS 1 // of a work-item that adds
#endif

inline uint first_row(const uint chunk, const uint height, const uint chunks) {
    return chunk * (height / chunks) + min(chunk, height % chunks);
}

inline uint chunk_of(const uint row, const uint height, const uint chunks) {
    const uint rows = height / chunks, larger = height % chunks, edge = larger * (rows + 1);
    return row < edge ? row / (rows + 1) : larger + (row - edge) / rows;
}

// One work-item adds every parts-th row of COLUMNS columns.
kernel void column_sums(IN(in), OUT(tomo_sum, sums), OUT(uint, counts), const uint width, const uint height,
                        const uint chunks) {
    const uint x = get_global_id(0) * COLUMNS, part = get_global_id(1), parts = get_global_size(1);
    const uint line = get_global_id(2), z = line / chunks, chunk = line % chunks;
    const uint last = first_row(chunk + 1, height, chunks);
    const uint columns = COLUMNS == 1 ? 1 : min((uint)COLUMNS, width - x);
    tomo_sum sum[COLUMNS];
    uint count[COLUMNS];
    for (uint c = 0; c < COLUMNS; c++) {
        sum[c] = (tomo_sum)(0.0f);
        count[c] = 0;
    }
    for (uint y = first_row(chunk, height, chunks) + part; y < last; y += parts) {
        const ulong at = tomo_index(x, y, z, width, height);
        for (uint c = 0; c < columns; c++) {
            const float value = LOAD(in, at + c);
            const bool counts = isfinite(value);
            sum[c] = tomo_add(sum[c], counts ? value : 0.0f);
            count[c] += counts;
        }
    }
    const ulong at = ((ulong)line * parts + part) * width + x;
    for (uint c = 0; c < columns; c++) {
        AT(sums, at + c) = sum[c];
        AT(counts, at + c) = count[c];
    }
}

kernel void column_means(IN(sums), IN(counts), OUT(float, lines), const uint parts) {
    const uint x = get_global_id(0), width = get_global_size(0), line = get_global_id(1);
    tomo_sum sum = (tomo_sum)(0.0f);
    uint count = 0;
    for (uint part = 0; part < parts; part++) {
        const ulong at = ((ulong)line * parts + part) * width + x;
        sum = tomo_merge(sum, AT(sums, at));
        count += AT(counts, at);
    }
    AT(lines, (ulong)line * width + x) = count ? (float)(tomo_total(sum) / count) : NAN;
}

// Adds to each sample the value of its column, or multiplies by it.
kernel void columns_corrected(IN(in), IN(lines), OUT(float, out), const uint chunks,
                              const int multiplies) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const ulong at = tomo_index(x, y, z, width, height);
    const uint line = z * chunks + (chunks > 1 ? chunk_of(y, height, chunks) : 0);
    const float value = LOAD(in, at), correction = AT(lines, (ulong)line * width + x);
    AT(out, at) = multiplies ? value * correction : value + correction;
}

// The mean of a line over a Gaussian, or 1 if `radius` is below 0, with the line mirrored at its ends (the edge values twice). `weights` are by
// distance. Columns without a mean don't count; where none counts, the result is the column's own mean.
//
// `lines` becomes what has to be added to the column, or multiplied with it, to have the smooth mean instead; columns
// without a mean are left as they are, and for products those where one of both means is not above 0.
kernel void columns_smoothed(IN(lines), OUT(float, corrections), global const float *restrict weights,
                             const int radius, const int divides) {
    const int x = get_global_id(0), width = get_global_size(0);
    const ulong line = get_global_id(1) * (ulong)width;
    float sum = 0.0f, total = 0.0f;
    for (int d = -radius; d <= radius; d++) {
        const float value = AT(lines, line + tomo_address(x + d, width, 4)), weight = weights[abs(d)];
        const bool counts = isfinite(value);
        sum = fma(weight, counts ? value : 0.0f, sum);
        total += counts ? weight : 0.0f;
    }
    const float own = AT(lines, line + x), smooth = radius < 0 ? 1.0f : sum / total;
    const float correction = divides ? smooth / own : smooth - own;
    const bool is_one = isfinite(correction) && !(divides && !(own > 0.0f && correction > 0.0f));
    AT(corrections, line + x) = is_one ? correction : divides ? 1.0f : 0.0f;
}
