// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rings of a slice, in polar coordinates about the axis: column r is the radius r + 1/2, row t the angle
// 2 pi (t + 1/2) / angles. The rings that are subtracted are what stands out from medians along the radius, averaged
// along the arc.

#include "sampling.h"
TOMO_SAMPLER(in)

#define polar_T float
#define rings_T float

#define RUN 64 // angles of a work-item that averages

// Samples that are not finite become NaN, and those outside of a range its ends.
kernel void rings_polar(IN(in), OUT(float, polar), const int width, const int height, const float middle_x,
                        const float middle_y, const float least, const float largest) {
    const uint r = get_global_id(0), t = get_global_id(1), z = get_global_id(2), angles = get_global_size(1);
    const float radius = r + 0.5f, phi = 2.0f * (t + 0.5f) / angles;
    const float value = in_sample(in_base, in_at + tomo_index(0, 0, z, width, height), width, height,
                                  tomo_coordinate_of(middle_x + radius * cospi(phi) - 0.5f),
                                  tomo_coordinate_of(middle_y + radius * sinpi(phi) - 0.5f));
    AT(polar, tomo_index(r, t, z, get_global_size(0), angles)) =
        isfinite(value) ? clamp(value, least, largest) : NAN;
}

// A radius below 0 is one on the other side of the axis; beyond the last one the line goes on as its mirror image.
inline float along_radius(global const float *polar, const ulong plane, const int r, const uint t, const int radii,
                          const uint angles) {
    const uint across = t + angles / 2, row = r >= 0 ? t : across < angles ? across : across - angles;
    return polar[plane + (ulong)row * radii + tomo_address(r < 0 ? -1 - r : r, radii, 4)];
}

// The difference to the median of 2 WIDTH + 1 radii; 0 where it is larger than `threshold`, or where any is NaN. The
// values of the window are kept in order while it moves along LENGTH radii.
kernel void rings_stand_out(IN(polar), OUT(float, rings), const int radii, const uint angles, const float threshold) {
    const int first = get_global_id(0) * LENGTH, end = min(first + LENGTH, radii);
    const uint t = get_global_id(1), z = get_global_id(2);
    const ulong plane = tomo_index(0, 0, z, radii, angles);
    global const float *const planes = polar_base + polar_at;
    float window[2 * WIDTH + 1];
    int count = 0, missing = 0;
    for (int r = first - WIDTH; r <= first + WIDTH; r++) {
        const float value = along_radius(planes, plane, r, t, radii, angles);
        missing += isnan(value);
        const float key = isnan(value) ? INFINITY : value;
        int k = count++;
        for (; k > 0 && window[k - 1] > key; k--)
            window[k] = window[k - 1];
        window[k] = key;
    }
    for (int r = first; r < end; r++) {
        const float own = planes[plane + (ulong)t * radii + r], difference = own - window[WIDTH];
        AT(rings, plane + (ulong)t * radii + r) =
            missing || !(fabs(difference) <= threshold) ? 0.0f : difference;
        const float gone = along_radius(planes, plane, r - WIDTH, t, radii, angles);
        const float come = along_radius(planes, plane, r + WIDTH + 1, t, radii, angles);
        missing += isnan(come) - isnan(gone);
        const float out = isnan(gone) ? INFINITY : gone, key = isnan(come) ? INFINITY : come;
        int k = 0;
        while (window[k] != out)
            k++;
        for (; k < 2 * WIDTH && window[k + 1] < key; k++)
            window[k] = window[k + 1];
        for (; k > 0 && window[k - 1] > key; k--)
            window[k] = window[k - 1];
        window[k] = key;
    }
}

// The mean over `reach` angles on either side.
kernel void rings_average(IN(rings), OUT(float, polar), const int angles, const int reach) {
    const uint r = get_global_id(0), radii = get_global_size(0), z = get_global_id(2);
    const int first = get_global_id(1) * RUN, end = min(first + RUN, angles);
    const ulong column = tomo_index(r, 0, z, radii, angles);
#define RING(t) AT(rings, column + (ulong)tomo_address(t, angles, 3) * radii)
    tomo_sum sum = (tomo_sum)(0.0f);
    for (int t = first - reach; t <= first + reach; t++)
        sum = tomo_add(sum, RING(t));
    for (int t = first; t < end; t++) {
        AT(polar, column + (ulong)t * radii) = (float)(tomo_total(sum) / (2 * reach + 1));
        sum = tomo_add(tomo_add(sum, RING(t + reach + 1)), -RING(t - reach));
    }
}

// Sampled linearly; the innermost ring goes on to the axis. Pixels beyond the last radius stay as they are.
kernel void rings_subtract(IN(in), IN(polar), OUT(float, out), const int radii, const int angles, const float middle_x,
                           const float middle_y) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const ulong at = tomo_index(i, j, z, get_global_size(0), get_global_size(1));
    const float x = i + 0.5f - middle_x, y = j + 0.5f - middle_y;
    const float r = max(hypot(x, y) - 0.5f, 0.0f), turns = atan2pi(y, x) * 0.5f;
    const float t = (turns < 0.0f ? turns + 1.0f : turns) * angles - 0.5f;
    const float value = LOAD(in, at);
    if (!(r <= radii - 1)) {
        AT(out, at) = value;
        return;
    }
    const int inner = min((int)r, radii - 1), outer = min(inner + 1, radii - 1), above = (int)floor(t);
    const float across = r - inner, along = t - above;
    const ulong plane = tomo_index(0, 0, z, radii, angles);
    const ulong a = plane + (ulong)tomo_address(above, angles, 3) * radii,
                b = plane + (ulong)tomo_address(above + 1, angles, 3) * radii;
    const float before = mix(AT(polar, a + inner), AT(polar, a + outer), across);
    const float behind = mix(AT(polar, b + inner), AT(polar, b + outer), across);
    AT(out, at) = value - mix(before, behind, along);
}
