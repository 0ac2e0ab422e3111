// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// COMPONENTS: eigen flats that are in use. Flats are planes of one array; images have the dark taken off and
// `n` samples each.

#include "group-sum.h"

// Planes of `all` from `first` on: flats without the dark.
#define WITHOUT_DARK(name)                                                                                   \
    kernel void name##_without_dark(IN(name), IN(darks), global float *restrict all, const uint first) {     \
        const ulong i = get_global_id(0), n = get_global_size(0), plane = get_global_id(1);                  \
        all[(first + plane) * n + i] = LOAD(name, plane * n + i) - LOAD(darks, i);                           \
    }
WITHOUT_DARK(flats)
#ifdef flats_after_T
WITHOUT_DARK(flats_after)
#endif

// The mean of the flats; it is taken off them. Of each work-group the sum of the variances, and of their
// squares.
kernel void center_flats(global float *restrict all, global float *restrict mean,
                         global tomo_sum *restrict variances, const ulong n, const uint flats,
                         local tomo_sum *parts) {
    tomo_sum sum = (tomo_sum)0, squares = (tomo_sum)0;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {
        tomo_sum total = (tomo_sum)0;
        for (uint k = 0; k < flats; k++)
            total = tomo_add(total, all[k * n + i]);
        const float middle = tomo_total(total) / flats;
        mean[i] = middle;
        float variance = 0.0f;
        for (uint k = 0; k < flats; k++) {
            float off = all[k * n + i] - middle;
            off = isfinite(off) ? off : 0.0f; // a defect is no component
            all[k * n + i] = off;
            variance += off * off;
        }
        variance /= max(flats, 2u) - 1;
        sum = tomo_add(sum, variance);
        squares = tomo_add(squares, variance * variance);
    }
    sum = tomo_sum_of_group(parts, sum);
    squares = tomo_sum_of_group(parts, squares);
    if (get_local_id(0) == 0) {
        variances[2 * get_group_id(0)] = sum;
        variances[2 * get_group_id(0) + 1] = squares;
    }
}

// Products of the flats, BLOCK x BLOCK of them for each work-group: their sums over a part of the samples.
#define BLOCK 4 // as in the element
kernel void products_of_flats(global const float *restrict all, global const uint2 *restrict blocks,
                              global tomo_sum *restrict products, const ulong n, const uint flats,
                              local tomo_sum *parts) {
    const uint2 block = blocks[get_group_id(1)];
    tomo_sum sums[BLOCK * BLOCK];
    for (uint k = 0; k < BLOCK * BLOCK; k++)
        sums[k] = (tomo_sum)0;
    for (ulong i = get_global_id(0); i < n; i += get_global_size(0)) {
        float a[BLOCK], b[BLOCK];
        for (uint k = 0; k < BLOCK; k++) {
            a[k] = all[min(block.x * BLOCK + k, flats - 1) * n + i];
            b[k] = all[min(block.y * BLOCK + k, flats - 1) * n + i];
        }
        for (uint k = 0; k < BLOCK * BLOCK; k++)
            sums[k] = tomo_add(sums[k], a[k / BLOCK] * b[k % BLOCK]);
    }
    for (uint k = 0; k < BLOCK * BLOCK; k++) {
        const tomo_sum sum = tomo_sum_of_group(parts, sums[k]);
        if (get_local_id(0) == 0)
            products[(get_group_id(1) * get_num_groups(0) + get_group_id(0)) * BLOCK * BLOCK + k] = sum;
    }
}

// Component k is the sum of the flats by these weights.
kernel void combine_flats(global const float *restrict all, global const float *restrict weights,
                          global float *restrict components, const uint flats) {
    const ulong i = get_global_id(0), n = get_global_size(0), k = get_global_id(1);
    float sum = 0.0f;
    for (uint flat = 0; flat < flats; flat++)
        sum += weights[k * flats + flat] * all[flat * n + i];
    components[k * n + i] = sum;
}

// Components without much of their noise, whose variance is known: the quadratic surface that fits best to
// the pixels around, and, as far as these deviate from it by more than noise, the deviation of the pixel.
#define SIDE 3
#define WINDOW ((2 * SIDE + 1) * (2 * SIDE + 1))
kernel void denoise_components(global const float *restrict noisy, global float *restrict components,
                               const float noise) {
    const int x = get_global_id(0), y = get_global_id(1), width = get_global_size(0),
              height = get_global_size(1);
    const ulong plane = get_global_id(2) * (ulong)width * height;
    const float here = noisy[plane + tomo_index(x, y, 0, width, height)];
    // Sums of values times 1, i, j, i^2 - mean, j^2 - mean, i j: these are orthogonal.
    const float mean_of_squares = SIDE * (SIDE + 1) / 3.0f;
    float one = 0.0f, along_x = 0.0f, along_y = 0.0f, curved_x = 0.0f, curved_y = 0.0f, twisted = 0.0f,
          squares = 0.0f;
    float norm_linear = 0.0f, norm_curved = 0.0f, norm_twisted = 0.0f;
    for (int j = -SIDE; j <= SIDE; j++)
        for (int i = -SIDE; i <= SIDE; i++) {
            const float value = noisy[plane + tomo_index(clamp(x + i, 0, width - 1),
                                                         clamp(y + j, 0, height - 1), 0, width, height)] -
                                here;
            const float curve_x = i * i - mean_of_squares, curve_y = j * j - mean_of_squares;
            one += value;
            along_x += i * value;
            along_y += j * value;
            curved_x += curve_x * value;
            curved_y += curve_y * value;
            twisted += i * j * value;
            squares += value * value;
            norm_linear += i * i;
            norm_curved += curve_x * curve_x;
            norm_twisted += i * i * j * j;
        }
    const float fit = one / WINDOW - (curved_x + curved_y) / norm_curved * mean_of_squares;
    const float off = squares - one * one / WINDOW - (along_x * along_x + along_y * along_y) / norm_linear -
                      (curved_x * curved_x + curved_y * curved_y) / norm_curved -
                      twisted * twisted / norm_twisted;
    const float variance = off / (WINDOW - 6); // six values are fitted
    const float kept = variance > noise ? 1.0f - noise / variance : 0.0f;
    components[plane + tomo_index(x, y, 0, width, height)] = here + (1.0f - kept) * fit;
}

// The sum of what work-groups found, for each of `get_global_size(0)` results, `each` of them side by side.
kernel void add_up(global const tomo_sum *restrict found, global float *restrict results, const uint groups,
                   const uint each) {
    const ulong i = get_global_id(0), block = i / each, k = i % each;
    tomo_sum sum = (tomo_sum)0;
    for (uint group = 0; group < groups; group++)
        sum = tomo_merge(sum, found[(block * groups + group) * each + k]);
    results[i] = tomo_total(sum);
}

// The mean over squares of `size` pixels, of images without their dark, and of planes without any.
#define SHRINK(value_at)                                                                                     \
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);                             \
    float sum = 0.0f;                                                                                        \
    for (uint j = 0; j < size; j++)                                                                          \
        for (uint i = 0; i < size; i++) {                                                                    \
            const ulong at = tomo_index(x * size + i, y * size + j, 0, width, height);                       \
            const ulong in_stack = (ulong)z * width * height + at;                                           \
            const float value = value_at;                                                                    \
            sum += isfinite(value) ? value : 0.0f;                                                           \
        }                                                                                                    \
    out[tomo_index(x, y, z, get_global_size(0), get_global_size(1))] = sum / (size * size);

kernel void shrink_projections(IN(projections), IN(darks), global float *restrict out, const uint width,
                               const uint height,
                               const uint size){SHRINK(LOAD(projections, in_stack) - LOAD(darks, at))}

kernel void shrink_planes(global const float *restrict planes, global float *restrict out, const uint width,
                          const uint height, const uint size) {
    SHRINK(planes[in_stack])
}

#ifdef COMPONENTS

// The total variation, its gradient, and the lower half of a matrix of products.
#define SUMS (COMPONENTS * (COMPONENTS + 1) / 2 + COMPONENTS + 1)
#define PRODUCT(k, l) (1 + COMPONENTS + (k) * ((k) + 1) / 2 + (l)) // l <= k

// The corrected projection at a pixel, times the mean of the flat, and how it changes with each weight. Means
// of the components stand behind that of the mean flat.
inline float corrected(global const float *view, global const float *mean, global const float *components,
                       global const float *weights, global const float *means, const float level,
                       const ulong n, const ulong i, float *change) {
    float flat = mean[i];
    for (uint k = 0; k < COMPONENTS; k++)
        flat += weights[k] * components[k * n + i];
    const bool is_lit = flat > 0.0f;
    const float value = is_lit ? view[i] / flat * level : 0.0f;
    for (uint k = 0; k < COMPONENTS; k++)
        change[k] = is_lit ? value * (means[1 + k] / level - components[k * n + i] / flat) : 0.0f;
    return value;
}

// State of the search for the weights of one projection, in floats: the weights to try, the best ones so far,
// the sums at these, how strongly the next step is damped, and whether the search is over.
#define TRIED 0
#define BEST COMPONENTS
#define BEST_SUMS (2 * COMPONENTS)
#define DAMPING (BEST_SUMS + SUMS)
#define IS_DONE (DAMPING + 1)
#define STATE (IS_DONE + 1)

kernel void begin_search(global float *restrict states) {
    global float *state = states + get_global_id(0) * STATE;
    for (int i = 0; i < STATE; i++)
        state[i] = 0.0f;
    state[BEST_SUMS] = MAXFLOAT;
    state[DAMPING] = 1e-2f;
}

// Work-groups sum over parts of the image: the total variation at the tried weights, its gradient, and the
// products of changes, weighted by the inverse lengths of gradients. A group has as many places in `parts`
// as work-items.
kernel void total_variation(global const float *restrict views, global const float *restrict mean,
                            global const float *restrict components, global const float *restrict means,
                            global const float *restrict states, global tomo_sum *restrict found,
                            const uint width, const uint height, const float smoothing,
                            local tomo_sum *parts) {
    const uint z = get_global_id(1);
    const ulong n = (ulong)width * height;
    global const float *restrict view = views + z * n, *restrict state = states + z * STATE;
    if (state[IS_DONE] != 0.0f) // for all work-items of the group
        return;
    float level = means[0];
    for (uint k = 0; k < COMPONENTS; k++)
        level += state[TRIED + k] * means[1 + k];
    float sums[SUMS];
    for (uint s = 0; s < SUMS; s++)
        sums[s] = 0.0f;
    // Of one row or column, differences along the other direction are 0.
    const uint columns = max(width, 2u) - 1, rows = max(height, 2u) - 1;
    for (uint i = get_global_id(0); i < columns * rows; i += get_global_size(0)) {
        const ulong at = (ulong)(i / columns) * width + i % columns;
        float of_here[COMPONENTS], of_right[COMPONENTS], of_below[COMPONENTS];
        const float here = corrected(view, mean, components, state + TRIED, means, level, n, at, of_here);
        const float right = corrected(view, mean, components, state + TRIED, means, level, n,
                                      width > 1 ? at + 1 : at, of_right) -
                            here;
        const float below = corrected(view, mean, components, state + TRIED, means, level, n,
                                      height > 1 ? at + width : at, of_below) -
                            here;
        const float length =
            sqrt(right * right + below * below + smoothing * smoothing * means[0] * means[0]);
        sums[0] += length;
        for (uint k = 0; k < COMPONENTS; k++) {
            of_right[k] -= of_here[k];
            of_below[k] -= of_here[k];
            sums[1 + k] += (right * of_right[k] + below * of_below[k]) / length;
        }
        for (uint k = 0; k < COMPONENTS; k++)
            for (uint l = 0; l <= k; l++)
                sums[PRODUCT(k, l)] += (of_right[k] * of_right[l] + of_below[k] * of_below[l]) / length;
    }
    for (uint s = 0; s < SUMS; s++) {
        const tomo_sum sum = tomo_sum_of_group(parts, tomo_add((tomo_sum)0, sums[s]));
        if (get_local_id(0) == 0)
            found[(z * SUMS + s) * get_num_groups(0) + get_group_id(0)] = sum;
    }
}

// (H + damping D) step = -g by Cholesky's method, where D is the diagonal of H.
inline void add_step(global const float *sums, const float damping, const float scale,
                     global const float *from, global float *to) {
    float lower[COMPONENTS * COMPONENTS], step[COMPONENTS];
    for (int k = 0; k < COMPONENTS; k++)
        for (int j = 0; j <= k; j++) {
            float value = sums[PRODUCT(k, j)];
            if (j == k) // and where nothing depends on a weight, it stays
                value += damping * value + 1e-6f * sums[0] / (scale * scale);
            for (int m = 0; m < j; m++)
                value -= lower[k * COMPONENTS + m] * lower[j * COMPONENTS + m];
            lower[k * COMPONENTS + j] = j == k ? sqrt(max(value, 1e-30f)) : value / lower[j * COMPONENTS + j];
        }
    for (int k = 0; k < COMPONENTS; k++) {
        float value = -sums[1 + k];
        for (int m = 0; m < k; m++)
            value -= lower[k * COMPONENTS + m] * step[m];
        step[k] = value / lower[k * COMPONENTS + k];
    }
    for (int k = COMPONENTS - 1; k >= 0; k--) {
        float value = step[k];
        for (int m = k + 1; m < COMPONENTS; m++)
            value -= lower[m * COMPONENTS + k] * step[m];
        step[k] = value / lower[k * COMPONENTS + k];
        to[k] = from[k] + step[k];
    }
}

// One step of Levenberg's and Marquardt's method for each projection, with squares of gradients weighted by
// their inverse lengths. `scale` is the weight that a component has in the flats.
kernel void next_weights(global const tomo_sum *restrict found, global const float *restrict means,
                         global float *restrict states, const uint groups, const float scale) {
    const uint z = get_global_id(0);
    global float *state = states + z * STATE, *best_sums = state + BEST_SUMS;
    if (state[IS_DONE] != 0.0f)
        return;
    float level = means[0], sums[SUMS];
    for (uint k = 0; k < COMPONENTS; k++)
        level += state[TRIED + k] * means[1 + k];
    for (uint s = 0; s < SUMS; s++) {
        tomo_sum sum = (tomo_sum)0;
        for (uint group = 0; group < groups; group++)
            sum = tomo_merge(sum, found[(z * SUMS + s) * groups + group]);
        sums[s] = tomo_total(sum);
    }
    // A flat that is dark on the whole is no flat.
    if (sums[0] < best_sums[0] && level > 0.0f) {
        state[IS_DONE] = best_sums[0] - sums[0] <= 1e-6f * sums[0];
        for (uint k = 0; k < COMPONENTS; k++)
            state[BEST + k] = state[TRIED + k];
        for (uint s = 0; s < SUMS; s++)
            best_sums[s] = sums[s];
        state[DAMPING] *= 0.3f;
    } else {
        state[DAMPING] *= 10.0f;
        state[IS_DONE] = state[DAMPING] > 1e4f;
    }
    add_step(best_sums, state[DAMPING], scale, state + BEST, state + TRIED);
}

#else
#define COMPONENTS 0
#define STATE 0
#define BEST 0
#endif

kernel void dynamic_flat_field_correct(IN(projections), IN(darks), global const float *restrict mean,
                                       global const float *restrict components,
                                       global const float *restrict states, OUT(float, out),
                                       const int absorption, const int fix) {
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);
    const uint width = get_global_size(0), height = get_global_size(1);
    const ulong n = (ulong)width * height, at = tomo_index(x, y, 0, width, height), i = z * n + at;
    float flat = mean[at];
    for (uint k = 0; k < COMPONENTS; k++)
        flat += states[z * STATE + BEST + k] * components[k * n + at];
    const float view = LOAD(projections, i) - LOAD(darks, at);
    const float value = absorption ? log(flat / view) : view / flat;
    AT(out, i) = fix && (!isfinite(value) || flat <= 0.0f) ? 0.0f : value;
}
