// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is made of the differences of neighbours: gradients and edges. ADDRESSING: what stands outside of the image, see
// tomo_address().

// `missing` is set where nothing stands outside.
static float pixel(IN(in), const int x, const int y, const uint z, const int width, const int height,
                   bool *missing) {
    const int i = tomo_address(x, width, ADDRESSING), j = tomo_address(y, height, ADDRESSING);
    if (i >= 0 && j >= 0)
        return LOAD(in, tomo_index(i, j, z, width, height));
    *missing = *missing || ADDRESSING == 0;
    return 0.0f;
}
#define PIXEL(dx, dy) pixel(in_base, in_at, x + (dx), y + (dy), z, width, height, &missing)

// The enumerations of gradient.cpp.
enum { forward, backward, central };
enum { horizontal, vertical, both, both_abs, both_mag };

#define DIFFERENCE(dx, dy)                                                                                   \
    (difference == forward    ? PIXEL(dx, dy) - PIXEL(0, 0)                                                  \
     : difference == backward ? PIXEL(0, 0) - PIXEL(-(dx), -(dy))                                            \
                              : 0.5f * (PIXEL(dx, dy) - PIXEL(-(dx), -(dy))))

kernel void gradient(IN(in), OUT(float, out), const int direction, const int difference) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int width = get_global_size(0), height = get_global_size(1);
    bool missing = false;
    const float gx = direction == vertical ? 0.0f : DIFFERENCE(1, 0);
    const float gy = direction == horizontal ? 0.0f : DIFFERENCE(0, 1);
    const float value = direction == both_abs   ? fabs(gx) + fabs(gy)
                        : direction == both_mag ? hypot(gx, gy)
                                                : gx + gy;
    AT(out, tomo_index(x, y, z, width, height)) = missing ? 0.0f : value;
}

// The enumeration of detect-edge.cpp.
enum { sobel, laplace, prewitt };

kernel void detect_edge(IN(in), OUT(float, out), const int filter) {
    const int x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const int width = get_global_size(0), height = get_global_size(1);
    bool missing = false;
    float value;
    if (filter == laplace) {
        value = PIXEL(-1, 0) + PIXEL(1, 0) + PIXEL(0, -1) + PIXEL(0, 1) - 4.0f * PIXEL(0, 0);
    } else {
        const float middle = filter == sobel ? 2.0f : 1.0f;
        const float top_left = PIXEL(-1, -1), top_right = PIXEL(1, -1);
        const float bottom_left = PIXEL(-1, 1), bottom_right = PIXEL(1, 1);
        const float gx =
            (top_right - top_left) + middle * (PIXEL(1, 0) - PIXEL(-1, 0)) + (bottom_right - bottom_left);
        const float gy =
            (bottom_left - top_left) + middle * (PIXEL(0, 1) - PIXEL(0, -1)) + (bottom_right - top_right);
        value = hypot(gx, gy);
    }
    AT(out, tomo_index(x, y, z, width, height)) = missing ? 0.0f : value;
}
