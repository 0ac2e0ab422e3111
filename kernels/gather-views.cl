// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// Each step-th row of the projections from `first` on, as rows of the output from `begin` on.
kernel void gather_views(IN(projections), OUT(float, out), const uint first, const uint step, const uint begin,
                         const uint rows, const uint rows_of_projections) {
    const uint x = get_global_id(0), i = get_global_id(1), z = get_global_id(2), columns = get_global_size(0);
    AT(out, tomo_index(x, begin + i, z, columns, rows)) =
        LOAD(projections, tomo_index(x, first + i * step, z, columns, rows_of_projections));
}
