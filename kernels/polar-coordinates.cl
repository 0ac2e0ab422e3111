// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sampling.h"
TOMO_SAMPLER(in)

#ifdef cl_khr_fp64
typedef double Real;
#define PI M_PI
#define COORDINATE tomo_coordinate_of_double
#else
typedef float Real;
#define PI M_PI_F
#define COORDINATE tomo_coordinate_of
#endif

// Halves are exact.
#define HALF ((Real)0.5f)

kernel void cartesian_to_polar(IN(in), OUT(float, out), const int width, const int height) {
    const uint r = get_global_id(0), t = get_global_id(1), z = get_global_id(2);
    const uint angles = get_global_size(1);
    const Real radius = r + HALF, phi = (2 * (t + HALF) / angles - 1) * PI;
    AT(out, tomo_index(r, t, z, get_global_size(0), angles)) =
        in_sample(in_base, in_at + tomo_index(0, 0, z, width, height), width, height,
                  COORDINATE(HALF * width + radius * cos(phi) - HALF),
                  COORDINATE(HALF * height + radius * sin(phi) - HALF));
}

kernel void polar_to_cartesian(IN(in), OUT(float, out), const int radii, const int angles) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const Real x = i + HALF - HALF * width, y = j + HALF - HALF * height;
    const Real radius = sqrt(x * x + y * y), phi = atan2(y, x);
    AT(out, tomo_index(i, j, z, width, height)) =
        in_sample(in_base, in_at + tomo_index(0, 0, z, radii, angles), radii, angles, COORDINATE(radius - HALF),
                  COORDINATE((phi / PI + 1) * HALF * angles - HALF));
}
