// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// What JOIN makes of one value from each work-item of a group. `parts` has a place for each work-item; the group's size may
// be any.
#define TOMO_OF_GROUP(name, type, JOIN)                                                                                 \
    inline type name(local type *parts, const type own) {                                                               \
        const uint i = get_local_id(0);                                                                                 \
        parts[i] = own;                                                                                                 \
        for (uint left = get_local_size(0); left > 1;) {                                                                \
            const uint kept = (left + 1) / 2;                                                                           \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                               \
            if (i < left - kept)                                                                                        \
                parts[i] = JOIN(parts[i], parts[i + kept]);                                                             \
            left = kept;                                                                                                \
        }                                                                                                               \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                   \
        const type result = parts[0];                                                                                   \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                   \
        return result;                                                                                                  \
    }

TOMO_OF_GROUP(tomo_sum_of_group, tomo_sum, tomo_merge)
TOMO_OF_GROUP(tomo_largest_of_group, float, fmax)
