// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// The sum over a work-group. `parts` has a place for each work-item; the group's size may be any.
inline tomo_sum tomo_sum_of_group(local tomo_sum *parts, const tomo_sum own) {
    const uint i = get_local_id(0);
    parts[i] = own;
    for (uint left = get_local_size(0); left > 1;) {
        const uint kept = (left + 1) / 2;
        barrier(CLK_LOCAL_MEM_FENCE);
        if (i < left - kept)
            parts[i] = tomo_merge(parts[i], parts[i + kept]);
        left = kept;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const tomo_sum result = parts[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return result;
}
