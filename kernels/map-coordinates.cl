// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sampling.h"
TOMO_SAMPLER(images)

#define IS_DOUBLE_double 1
#if TOMO_JOIN(IS_DOUBLE_, x_T)
#define X(at) AT(x, at)
#define X_COORDINATE tomo_coordinate_of_double
#else
#define X(at) LOAD(x, at)
#define X_COORDINATE tomo_coordinate_of
#endif
#if TOMO_JOIN(IS_DOUBLE_, y_T)
#define Y(at) AT(y, at)
#define Y_COORDINATE tomo_coordinate_of_double
#else
#define Y(at) LOAD(y, at)
#define Y_COORDINATE tomo_coordinate_of
#endif

kernel void map_coordinates(IN(images), IN(x), IN(y), OUT(float, out), const int width, const int height,
                            const int map_for_each_plane) {
    const uint i = get_global_id(0), j = get_global_id(1), z = get_global_id(2);
    const uint out_width = get_global_size(0), out_height = get_global_size(1);
    const ulong at = tomo_index(i, j, map_for_each_plane ? z : 0, out_width, out_height);
    const bool known = isfinite(X(at)) && isfinite(Y(at));
    AT(out, tomo_index(i, j, z, out_width, out_height)) =
        known ? images_sample(images_base, images_at + tomo_index(0, 0, z, width, height), width, height,
                              X_COORDINATE(X(at)), Y_COORDINATE(Y(at)))
              : NAN;
}
