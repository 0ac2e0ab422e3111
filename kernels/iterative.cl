// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Steps of iterative reconstructions between forward and backprojection; gst/operators/solver.hpp has the formulas.
// All arrays have `count` samples for each slice, one slice behind another. Norms are squares of L2 norms, one for each slice.
// Where planes are coupled, a "slice" is all planes of a volume; sums along rays and across pixels are those of one plane.

#include "group-sum.h"

#ifdef MASKED
#define STAYS(i) (mask[i] == 0.0f)
#else
#define STAYS(i) false
#endif

kernel void mask_gradient(global float *gradient, global const float *mask, const ulong count) {
    const ulong i = get_global_id(0);
    if (i < count && mask[i] == 0.0f)
        gradient[i] = 0.0f;
}

// A part of the norm, or of the product, from each work-group.
#define FINISH_PARTS                                                                                                    \
    local tomo_sum places[GROUP];                                                                                       \
    const tomo_sum total = tomo_sum_of_group(places, sum);                                                              \
    if (get_local_id(0) == 0)                                                                                           \
        parts[get_global_id(1) * get_num_groups(0) + get_group_id(0)] = total;
#define FOR_SHARE TOMO_FOR_SHARE(i, count, (ulong)get_global_id(0), (ulong)get_global_size(0), spread)

#define IN_PLANE (i < plane ? i : i % plane)

kernel void sums(global const float *values, global tomo_sum *parts, const ulong count, const uint spread) {
    const ulong begin = get_global_id(1) * count;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_SHARE sum = tomo_add(sum, (tomo_real)values[begin + i]);
    FINISH_PARTS
}

kernel void products(global const float *values, global const float *others, global tomo_sum *parts, const ulong count,
                     const uint spread) {
    const ulong begin = get_global_id(1) * count;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_SHARE sum = tomo_add(sum, (tomo_real)values[begin + i] * others[begin + i]);
    FINISH_PARTS
}

// computed = (measured - computed) / sums along the rays, and the norm of the difference.
kernel void difference(global float *computed, global const float *measured, global const float *ray_sums,
                       global tomo_sum *parts, const ulong count, const ulong plane, const uint spread) {
    const ulong begin = get_global_id(1) * count;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_SHARE {
        const float difference = measured[begin + i] - computed[begin + i], along = ray_sums[IN_PLANE];
        sum = tomo_add(sum, (tomo_real)difference * difference);
        computed[begin + i] = along > 0.0f ? difference / along : 0.0f;
    }
    FINISH_PARTS
}

// computed = measured / computed, and the norm of their difference. Samples below zero count as zero.
kernel void quotient(global float *computed, global const float *measured, global tomo_sum *parts, const ulong count,
                     const uint spread) {
    const ulong begin = get_global_id(1) * count;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_SHARE {
        const float expected = computed[begin + i], came = measured[begin + i];
        sum = tomo_add(sum, (tomo_real)(came - expected) * (came - expected));
        computed[begin + i] = !(came <= 0.0f) && expected > 0.0f ? came / expected : 0.0f;
    }
    FINISH_PARTS
}

// computed = measured - computed, and its norm
kernel void plain_difference(global float *computed, global const float *measured, global tomo_sum *parts, const ulong count,
                             const uint spread) {
    const ulong begin = get_global_id(1) * count;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_SHARE {
        const float difference = measured[begin + i] - computed[begin + i];
        sum = tomo_add(sum, (tomo_real)difference * difference);
        computed[begin + i] = difference;
    }
    FINISH_PARTS
}

// The norm of values - others
kernel void distances(global const float *values, global const float *others, global tomo_sum *parts, const ulong count,
                      const uint spread) {
    const ulong begin = get_global_id(1) * count;
    tomo_sum sum = (tomo_sum)(0.0f);
    FOR_SHARE {
        const float difference = values[begin + i] - others[begin + i];
        sum = tomo_add(sum, (tomo_real)difference * difference);
    }
    FINISH_PARTS
}

// From each work-group the largest values / others, where others are above zero; 0 if none is. Parts go to `first` and on.
kernel void largest_quotients(global const float *values, global const float *others, global float *parts, const ulong count,
                              const uint spread, const uint first) {
    float largest = 0.0f;
    FOR_SHARE if (others[i] > 0.0f) largest = fmax(largest, values[i] / others[i]);
    local float places[GROUP];
    const float total = tomo_largest_of_group(places, largest);
    if (get_local_id(0) == 0)
        parts[first + get_group_id(0)] = total;
}

// values = others + factor values
kernel void add_scaled(global float *values, global const float *others, const float factor, const ulong count) {
    const ulong i = get_global_id(0);
    if (i < count)
        values[i] = others[i] + factor * values[i];
}

kernel void keep_bounds(global float *values, global const float *mask, const float minimum, const float maximum, const ulong count) {
    const ulong i = get_global_id(0);
    if (i < count && !isnan(values[i]) && !STAYS(i))
        values[i] = clamp(values[i], minimum, maximum);
}

// ASD-POCS, a work-item for each slice. Norms are squares.
kernel void first_descent(global float *descent, global const float *by_data, const float part) {
    const uint z = get_global_id(0);
    descent[z] = part * sqrt(by_data[z]);
}

kernel void adapt_descent(global float *descent, global const float *by_variation, global const float *by_data,
                          global const float *norms, global const float *measured, const uint first, const float limit,
                          const float enough, const float reduction) {
    const uint z = get_global_id(0);
    if (by_variation[z] > limit * limit * by_data[z] && norms[first + z] > enough * enough * measured[z])
        descent[z] *= reduction;
}

// slices -= descent gradient / |gradient|
kernel void descend_unit(global float *slices, global const float *gradient, global const float *lengths,
                         global const float *descent, global const uint *is_done, const ulong count) {
    const uint z = get_global_id(1);
    const ulong i = get_global_id(0), at = z * count + i;
    if (i >= count || is_done[z] || lengths[z] == 0.0f)
        return;
    slices[at] -= descent[z] / sqrt(lengths[z]) * gradient[at];
}

// norms += sums of the parts; a work-group of at most GROUP work-items for each norm
kernel void add_parts(global const tomo_sum *parts, global float *norms, const uint number, const uint first) {
    const uint z = get_group_id(0);
    tomo_sum sum = (tomo_sum)(0.0f);
    for (uint i = get_local_id(0); i < number; i += get_local_size(0))
        sum = tomo_merge(sum, parts[(ulong)z * number + i]);
    local tomo_sum places[GROUP];
    const tomo_sum total = tomo_sum_of_group(places, sum);
    if (get_local_id(0) == 0)
        norms[first + z] += (float)tomo_total(total);
}

// A slice whose residual is small enough stays as it is.
kernel void stop_slices(global const float *norms, global const float *measured, global uint *is_done, const uint first,
                        const float tolerance) {
    const uint z = get_global_id(0);
    if (norms[first + z] <= tolerance * tolerance * measured[z])
        is_done[z] = 1;
}

kernel void add_correction(global float *slices, global const float *correction, global const float *pixel_sums,
                           global const uint *is_done, global const float *mask, const float relaxation, const float minimum,
                           const float maximum, const ulong count, const ulong plane) {
    const ulong i = get_global_id(0), at = get_global_id(1) * count + i;
    if (i >= count || is_done[get_global_id(1)] || STAYS(at))
        return;
    const float across = pixel_sums[IN_PLANE];
    const float value = slices[at] + (across > 0.0f ? relaxation * correction[at] / across : 0.0f);
    // NaN stays.
    slices[at] = value < minimum ? minimum : value > maximum ? maximum : value;
}

kernel void multiply_correction(global float *slices, global const float *correction, global const float *pixel_sums,
                                global const uint *is_done, global const float *mask, const float minimum, const float maximum,
                                const ulong count, const ulong plane) {
    const ulong i = get_global_id(0), at = get_global_id(1) * count + i;
    if (i >= count || is_done[get_global_id(1)] || STAYS(at))
        return;
    const float across = pixel_sums[IN_PLANE];
    const float value = across > 0.0f ? slices[at] * correction[at] / across : slices[at];
    slices[at] = value < minimum ? minimum : value > maximum ? maximum : value;
}

// Conjugate gradients. `gradients` has the norms of the gradients of this step and of the one before.

// to += sign product / length direction
kernel void move_along(global float *to, global const float *direction, global const float *products,
                       global const float *lengths, const uint step, const float sign, global const uint *is_done,
                       const ulong count) {
    const uint z = get_global_id(1);
    const ulong i = get_global_id(0), at = z * count + i;
    if (i >= count || is_done[z] || lengths[z] == 0.0f)
        return;
    to[at] += sign * (products[step * get_global_size(1) + z] / lengths[z]) * direction[at];
}

kernel void turn_direction(global float *direction, global const float *gradient, global const float *gradients,
                           const uint step, const ulong count) {
    const uint z = get_global_id(1), slices = get_global_size(1);
    const ulong i = get_global_id(0), at = z * count + i;
    if (i >= count)
        return;
    const float before = gradients[(step - 1) * slices + z];
    direction[at] = gradient[at] + (before != 0.0f ? gradients[step * slices + z] / before : 0.0f) * direction[at];
}

// Products of a gradient with KEPT_AT_ONCE of `number` kept ones, which lie behind each other: the gradient is read once
// for these. Parts are in the order of the kept gradients, then slices.
kernel void products_with_kept(global const float *gradient, global const float *kept, const uint number,
                               global tomo_sum *parts, const ulong count, const uint spread) {
    const uint z = get_global_id(1), slices = get_global_size(1);
    const uint first = get_global_id(2) * KEPT_AT_ONCE;
    const ulong begin = z * count;
    // Behind the last one, the last one again.
    ulong begins[KEPT_AT_ONCE];
    tomo_sum sums[KEPT_AT_ONCE];
    for (uint k = 0; k < KEPT_AT_ONCE; k++) {
        begins[k] = (min(first + k, number - 1) * (ulong)slices + z) * count;
        sums[k] = (tomo_sum)(0.0f);
    }
    FOR_SHARE {
        const tomo_real value = gradient[begin + i];
        for (uint k = 0; k < KEPT_AT_ONCE; k++)
            sums[k] = tomo_add(sums[k], value * kept[begins[k] + i]);
    }
    local tomo_sum places[GROUP];
    for (uint k = 0; k < KEPT_AT_ONCE; k++) {
        const tomo_sum total = tomo_sum_of_group(places, sums[k]);
        if (get_local_id(0) == 0 && first + k < number)
            parts[((ulong)(first + k) * slices + z) * get_num_groups(0) + get_group_id(0)] = total;
    }
}

// gradient -= its parts along the kept ones
kernel void subtract_kept(global float *gradient, global const float *kept, const uint number,
                          global const float *products, global const float *norms, const ulong count) {
    const uint z = get_global_id(1), slices = get_global_size(1);
    const ulong i = get_global_id(0);
    if (i >= count)
        return;
    float value = gradient[z * count + i];
    for (uint k = 0; k < number; k++) {
        const uint at = k * slices + z;
        if (norms[at] != 0.0f)
            value -= products[at] / norms[at] * kept[at * count + i];
    }
    gradient[z * count + i] = value;
}
