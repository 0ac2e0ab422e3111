// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Samples of rows of sinograms, two slices as one. For files that include edge-padding.h before.

// Sample x of a pair of rows that are continued by their edge values, or by zeros. A slice with a sample that is not finite is
// marked; it must not spoil the one beside it.
static float2 padded_sample(IN(sinograms), global uint *is_bad, const uint x, const uint p, const uint pair, const uint width,
                            const uint views, const uint slices, const uint length, const bool continues_edges) {
    const uint column = padded_source(x, width, length);
    float value[2] = {0.0f, 0.0f};
    if (p < views && (continues_edges || x < width))
        for (uint part = 0; part < 2; part++) {
            const uint slice = 2 * pair + part;
            if (slice >= slices)
                break;
            value[part] = LOAD(sinograms, ((ulong)slice * views + p) * width + column);
            if (!isfinite(value[part])) {
                value[part] = 0.0f;
                atomic_or(is_bad + slice, 1u);
            }
        }
    return (float2)(value[0], value[1]);
}

// The same in a sinogram. Slices that are marked become NaN.
static void put_sample(OUT(float, out), global const uint *is_bad, const float2 value, const uint x, const uint p, const uint pair,
                       const uint width, const uint views, const uint slices) {
    for (uint part = 0; part < 2; part++) {
        const uint slice = 2 * pair + part;
        if (slice < slices)
            AT(out, ((ulong)slice * views + p) * width + x) = is_bad[slice] ? NAN : part ? value.y : value.x;
    }
}
