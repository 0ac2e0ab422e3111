// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#define GOOD(x) (LOAD(masks, mask_row + (x)) == 0.0f)
#define VALUE(x) LOAD(images, row + (x))

kernel void horizontal_interpolate(IN(images), IN(masks), OUT(float, out), const uint mask_planes,
                                   const int use_gradient) {
    const int x = get_global_id(0), width = get_global_size(0);
    const uint y = get_global_id(1), z = get_global_id(2), height = get_global_size(1);
    const ulong row = tomo_index(0, y, z, width, height);
    const ulong mask_row = tomo_index(0, y, mask_planes > 1 ? z : 0, width, height);

    float value = VALUE(x);
    if (!GOOD(x)) {
        int left = x - 1, right = x + 1;
        while (left >= 0 && !GOOD(left))
            left--;
        while (right < width && !GOOD(right))
            right++;
        if (left >= 0 && right < width) {
            const float fraction = (float)(x - left) / (float)(right - left);
            value = (1.0f - fraction) * VALUE(left) + fraction * VALUE(right);
        } else if (left >= 0 || right < width) {
            const int nearest = left >= 0 ? left : right, behind = left >= 0 ? left - 1 : right + 1;
            value = VALUE(nearest);
            if (use_gradient && behind >= 0 && behind < width && GOOD(behind))
                value += (value - VALUE(behind)) * (float)abs(x - nearest);
        }
    }
    AT(out, row + x) = value;
}
