// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// COUNTERS: see flat-field-correct.cpp. Darks and flats may have one plane for all of the projections', and
// have their first row for all where these are SINOGRAMS. FLATS_AFTER: flats between both, by a weight for
// all or one for each row. SETS: instead the flats are that many planes, or rows of SINOGRAMS, and the flats
// after are the set behind them; two of all these sets count for all or for each row.
#ifdef SETS
typedef struct {
    uint first, second;
    float first_weight, second_weight;
} Pair;
#endif

kernel void flat_field_correct(IN(projections), IN(darks), IN(flats),
#ifdef FLATS_AFTER
                               IN(flats_after),
#endif
                               OUT(float, out), OUT(uint, bad), const uint dark_rows, const uint dark_planes,
                               const uint flat_rows, const uint flat_planes,
#ifdef FLATS_AFTER
                               const uint after_rows, const uint after_planes,
#endif
#ifdef SETS
                               global const Pair *restrict pairs, const uint pair_rows,
#elif defined(FLATS_AFTER)
                               global const float *weights, const uint weight_rows,
#endif
                               const float dark_scale, const float flat_scale, const int absorption,
                               const int fix) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const ulong at = tomo_index(x, y, z, width, height);
#ifdef SINOGRAMS
    const uint row = 0;
#else
    const uint row = y;
#endif
    const float d = dark_scale * LOAD(darks, tomo_index(x, row, dark_planes > 1 ? z : 0, width, dark_rows));
#ifdef SETS
    const Pair pair = pairs[pair_rows > 1 ? y : 0];
    float f = d;
    for (uint k = 0; k < 2; k++) {
        const uint set = k ? pair.second : pair.first;
        const float weight = k ? pair.second_weight : pair.first_weight;
        float flat;
#ifdef FLATS_AFTER
        if (set == SETS)
            flat = LOAD(flats_after, tomo_index(x, row, after_planes > 1 ? z : 0, width, after_rows));
        else
#endif
#ifdef SINOGRAMS
            flat = LOAD(flats, tomo_index(x, set, flat_planes > 1 ? z : 0, width, flat_rows));
#else
        flat = LOAD(flats, tomo_index(x, row, SETS > 1 ? set : flat_planes > 1 ? z : 0, width, flat_rows));
#endif
        if (weight != 0.0f)
            f += weight * (flat_scale * flat - d);
    }
#else
    float flat = LOAD(flats, tomo_index(x, row, flat_planes > 1 ? z : 0, width, flat_rows));
#ifdef FLATS_AFTER
    const float after = LOAD(flats_after, tomo_index(x, row, after_planes > 1 ? z : 0, width, after_rows));
    flat += weights[weight_rows > 1 ? y : 0] * (after - flat);
#endif
    const float f = flat_scale * flat;
#endif
    const float p = LOAD(projections, at);

    float value = absorption ? log((f - d) / (p - d)) : (p - d) / (f - d);
    if (!isfinite(value) || (fix && f <= d)) {
        // Neighbours count in different places, or they would wait for each other.
        atomic_inc(&AT(bad, (fix ? COUNTERS : 0) + x % COUNTERS));
        if (fix)
            value = 0.0f;
    }
    AT(out, at) = value;
}
