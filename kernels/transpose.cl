// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef ROWS

// A work-group of TILE x ROWS moves a square of TILE x TILE through local memory, so that both sides are
// accessed along rows. The additional column keeps the reads down a column in different banks.
kernel __attribute__((reqd_work_group_size(TILE, ROWS, 1))) void
transpose(IN(in), OUT(in_T, out), const uint width, const uint height) {
    local in_T tile[TILE][TILE + 1];
    const uint i = get_local_id(0), j = get_local_id(1), z = get_global_id(2);
    const uint left = get_group_id(0) * TILE, top = get_group_id(1) * TILE;

    for (uint row = j; row < TILE; row += ROWS)
        if (left + i < width && top + row < height)
            tile[row][i] = AT(in, tomo_index(left + i, top + row, z, width, height));
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint row = j; row < TILE; row += ROWS)
        if (top + i < height && left + row < width)
            AT(out, tomo_index(top + i, left + row, z, height, width)) = tile[i][row];
}

#else

// On CPUs a work-item moves a square of TILE x TILE, whose lines stay in the cache, without any local memory.
kernel void transpose(IN(in), OUT(in_T, out), const uint width, const uint height) {
    const uint left = get_global_id(0) * TILE, top = get_global_id(1) * TILE, z = get_global_id(2);
    const uint right = min(left + TILE, width), bottom = min(top + TILE, height);
    for (uint x = left; x < right; x++)
        for (uint y = top; y < bottom; y++)
            AT(out, tomo_index(y, x, z, height, width)) = AT(in, tomo_index(x, y, z, width, height));
}

#endif
