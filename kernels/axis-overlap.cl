// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define views_T float
#define NUMBERS 6

// A window of columns at the edge of the second views, mirrored, on the first views, at all places: those of its
// first column from 0, for the mirrored views' right edge and then for their left edge. For each of `parts` parts of
// the pairs: the number of samples, both means, the sums of both squares and of the products of what differs from them.
kernel void overlap_moments(IN(views), OUT(float, moments), const uint width, const uint window, const uint pairs,
                            const uint parts) {
    const uint place = get_global_id(0), part = get_global_id(1), z = get_global_id(2);
    const uint of_side = width - window + 1, places = 2 * of_side;
    if (place >= places)
        return;
    const bool is_left = place < of_side; // the axis lies in the left half
    const uint first = is_left ? place : place - of_side;
    const uint last = is_left ? window - 1 : width - 1; // second views' column on `first`
    tomo_real n = 0, u_sum = 0, v_sum = 0, uu = 0, vv = 0, uv = 0;
    for (uint pair = part; pair < pairs; pair += parts) {
        const ulong row = ((ulong)z * pairs + pair) * 2 * width;
        for (uint k = 0; k < window; k++) {
            const tomo_real u = AT(views, row + first + k), v = AT(views, row + width + last - k);
            u_sum += u;
            v_sum += v;
            uu += u * u;
            vv += v * v;
            uv += u * v;
        }
        n += window;
    }
    const ulong at = ((ulong)z * parts + part) * NUMBERS * places + place;
    const tomo_real u = n > 0 ? u_sum / n : 0, v = n > 0 ? v_sum / n : 0;
    AT(moments, at) = (float)n;
    AT(moments, at + places) = (float)u;
    AT(moments, at + 2 * places) = (float)v;
    AT(moments, at + 3 * places) = (float)(uu - u_sum * u);
    AT(moments, at + 4 * places) = (float)(vv - v_sum * v);
    AT(moments, at + 5 * places) = (float)(uv - u_sum * v);
}
