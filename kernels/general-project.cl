// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Line integrals of a volume in any geometry by Joseph's method (IEEE Trans. Med. Imaging 1, 192 (1982)), and their
// transpose. A ray is followed from plane to plane along the axis that it is closest to, its driving axis, and the volume
// interpolated linearly between the four voxels around it; a sum of these times the ray's way from plane to plane is the
// integral. All geometry is in numbers of voxels, so that planes and voxels lie at whole numbers. The volume is zero outside.
//
// MIXED  rays of a view may have different driving axes
// TURNED there are rays that are driven along x: for these a copy of the volume has x and y swapped, so that neighbouring
//        rays read neighbours

#include "general-rays.h"

// ------------------------------------------------------------------------------------------------------- Projection

kernel void turn_volume(IN(in), global float *restrict turned, const uint width, const uint height) {
    const uint y = get_global_id(0), x = get_global_id(1), z = get_global_id(2);
    turned[tomo_index(y, x, z, height, width)] = LOAD(in, tomo_index(x, y, z, width, height));
}

// The lines from `first` to `end` on which a position lies between -1 and `length`, and a few more for rounding.
static void narrow(const float position, const float slope, const int length, const int lines, int *first, int *end) {
    if (fabs(slope) * lines <= 1.0f) {
        if (position < -3.0f || position > length + 2.0f)
            *end = *first;
        return;
    }
    const float rounding = 2.0f + 0x1p-20f * (fabs(position) + length) / fabs(slope);
    const float in = (-1.0f - position) / slope, out_of = (length - position) / slope;
    *first = max(*first, (int)clamp(fmin(in, out_of) - rounding, 0.0f, (float)lines));
    *end = min(*end, (int)clamp(fmax(in, out_of) + rounding, 0.0f, (float)lines));
}

kernel void project_rays(IN(in), global const float *restrict turned, OUT(float, out), global const RayView *restrict views,
                         const uint width, const uint height, const uint depth, const uint columns, const uint rows,
                         const uint first_view, const uint first_plane, const uint first_row) {
    const uint column = get_global_id(0), row = first_row + get_global_id(1), plane = first_plane + get_global_id(2);
    if (column >= columns || row >= rows)
        return;
    global const RayView *view = views + first_view + plane;
    const Ray ray = ray_of(view, column, row);
    const int axis = driving_axis(view, &ray);

    // Planes n along the driving axis; u and v in the planes, u along the lines of memory.
    const int u_axis = axis == 0 ? 1 : 0, v_axis = axis == 2 ? 1 : 2;
    const int planes = axis == 0 ? width : axis == 1 ? height : depth;
    const int us = axis == 0 ? height : width, vs = axis == 2 ? height : depth;
    const ulong of_plane = axis == 0 ? height : axis == 1 ? width : (ulong)width * height;
    const ulong of_v = axis == 2 ? width : (ulong)width * height;

    // Positions have 32 bits of fraction: float ones would be too coarse.
    const tomo_real slope_u = ray.direction[u_axis] / ray.direction[axis], slope_v = ray.direction[v_axis] / ray.direction[axis];
    const tomo_real start_u = ray.source[u_axis] - ray.source[axis] * slope_u;
    const tomo_real start_v = ray.source[v_axis] - ray.source[axis] * slope_v;
    int first = 0, end = planes;
    narrow(start_u, slope_u, us, planes, &first, &end);
    narrow(start_v, slope_v, vs, planes, &first, &end);
    const tomo_real one = 4294967296.0f;
    const long step_u = convert_long_sat_rte(slope_u * one), step_v = convert_long_sat_rte(slope_v * one);
    long at_u = convert_long_sat_rte(start_u * one) + first * step_u, at_v = convert_long_sat_rte(start_v * one) + first * step_v;

    float sum = 0.0f;
    while (first < end) {
        float part = 0.0f; // sums of sums lose less
        for (const int stop = min(first + 64, end); first < stop; first++, at_u += step_u, at_v += step_v) {
            const int u = (int)(at_u >> 32), v = (int)(at_v >> 32);
            const float right = (uint)at_u * 0x1p-32f, below = (uint)at_v * 0x1p-32f;
            if (u < -1 || u >= us || v < -1 || v >= vs)
                continue;
            const ulong at = first * of_plane + (long)v * of_v + u;
            const bool has_left = u >= 0, has_right = u + 1 < us, has_upper = v >= 0, has_lower = v + 1 < vs;
            float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
#ifdef TURNED
            if (axis == 0) {
                a = has_left && has_upper ? turned[at] : 0.0f;
                b = has_right && has_upper ? turned[at + 1] : 0.0f;
                c = has_left && has_lower ? turned[at + of_v] : 0.0f;
                d = has_right && has_lower ? turned[at + of_v + 1] : 0.0f;
            } else
#endif
            {
                a = has_left && has_upper ? LOAD(in, at) : 0.0f;
                b = has_right && has_upper ? LOAD(in, at + 1) : 0.0f;
                c = has_left && has_lower ? LOAD(in, at + of_v) : 0.0f;
                d = has_right && has_lower ? LOAD(in, at + of_v + 1) : 0.0f;
            }
            const float upper = a + right * (b - a), lower = c + right * (d - c);
            part += upper + below * (lower - upper);
        }
        sum += part;
    }
    AT(out, tomo_index(column, row, plane, columns, rows)) = sum * (float)way_of(view, &ray, axis);
}

// -------------------------------------------------------------------------------------------------------- Transpose

// Samples times the way of their rays, and the driving axes of these.
kernel void weigh_rays(IN(in), global float *restrict weighted, global uchar *restrict axes,
                       global const RayView *restrict views, const uint columns, const uint rows) {
    const uint column = get_global_id(0), row = get_global_id(1), number = get_global_id(2);
    if (column >= columns || row >= rows)
        return;
    global const RayView *view = views + number;
    const Ray ray = ray_of(view, column, row);
    const int axis = driving_axis(view, &ray);
    const ulong at = tomo_index(column, row, number, columns, rows);
    weighted[at] = LOAD(in, at) * (float)way_of(view, &ray, axis);
#ifdef MIXED
    axes[at] = axis;
#endif
}

static tomo_real value_at(global const tomo_real *form, const uint x, const uint y, const uint z) {
    return form[0] * x + form[1] * y + form[2] * z + form[3];
}

// The sum of rays driven along `axis` times their weights in one voxel, which lies at `from_source` from the source, and
// is seen in (column, row), counted from the middle of pixel (near_column, near_row). On the voxel's plane a ray passes at
//     (t (C c + R r) - q t (C' c + R' r)) / (1 + (C' c + R' r) t / s'),
// for a pixel that is c columns and r rows away: C and R are the steps of pixels, and a dash means along the axis; t is the
// voxel's depth, s its way from the source, q = s / s'.
static float gather(global const float *weighted, global const uchar *axes, const int axis, const int u_axis, const int v_axis,
                    const float *from_source, const float depth, const float is_cone, const float *across, const float *down,
                    const float column, const float row, const int near_column, const int near_row, const int columns,
                    const int rows) {
    const float inverse = 1.0f / from_source[axis];
    const float q_u = from_source[u_axis] * inverse, q_v = from_source[v_axis] * inverse;
    const float u_column = depth * (across[u_axis] - q_u * across[axis]), u_row = depth * (down[u_axis] - q_u * down[axis]);
    const float v_column = depth * (across[v_axis] - q_v * across[axis]), v_row = depth * (down[v_axis] - q_v * down[axis]);
    const float nearer_column = is_cone * depth * inverse * across[axis], nearer_row = is_cone * depth * inverse * down[axis];

    // Pixels whose rays may pass closer than a voxel in both directions.
    const float determinant = fabs(u_column * v_row - u_row * v_column);
    float reach_column = (fabs(v_row) + fabs(u_row)) / determinant, reach_row = (fabs(v_column) + fabs(u_column)) / determinant;
    const float more = 1.001f + 2.0f * (fabs(nearer_column) * reach_column + fabs(nearer_row) * reach_row);
    reach_column *= more;
    reach_row *= more;
    const float far = 1e8f;
    const int first_column = max((int)ceil(clamp(column - reach_column, -far, far)), -near_column);
    const int last_column = min((int)floor(clamp(column + reach_column, -far, far)), columns - 1 - near_column);
    const int first_row = max((int)ceil(clamp(row - reach_row, -far, far)), -near_row);
    const int last_row = min((int)floor(clamp(row + reach_row, -far, far)), rows - 1 - near_row);

    float sum = 0.0f;
    for (int r = first_row; r <= last_row; r++) {
        const float away_row = r - row;
        const ulong line = (ulong)(r + near_row) * columns + near_column;
        for (int c = first_column; c <= last_column; c++) {
            const float away_column = c - column;
            const float scale = 1.0f / (1.0f + away_column * nearer_column + away_row * nearer_row);
            const float u = (away_column * u_column + away_row * u_row) * scale;
            const float v = (away_column * v_column + away_row * v_row) * scale;
            const float weight = fmax(1.0f - fabs(u), 0.0f) * fmax(1.0f - fabs(v), 0.0f);
#ifdef MIXED
            if (axes[line + c] != axis)
                continue;
#endif
            if (weight > 0.0f)
                sum += weight * weighted[line + c];
        }
    }
    return sum;
}

#define RUN 8 // voxels along z of a work-item

kernel void gather_rays(global const float *restrict weighted, global const uchar *restrict axes, OUT(float, out),
                        global const RayView *restrict views, const uint width, const uint height, const uint depth,
                        const uint columns, const uint rows, const uint first_view, const uint last_view, const uint first_run,
                        const uint first_y) {
    const uint x = get_global_id(0), y = first_y + get_global_id(1), first_z = (first_run + get_global_id(2)) * RUN;
    if (x >= width || y >= height)
        return;
    const int run = min(depth - first_z, (uint)RUN);
    float sums[RUN];
    for (int i = 0; i < RUN; i++)
        sums[i] = first_view == 0 || i >= run ? 0.0f : AT(out, tomo_index(x, y, first_z + i, width, height));
    for (uint number = first_view; number < last_view; number++) {
        global const RayView *view = views + number;
        const ulong plane = (ulong)number * columns * rows;
        float across[3], down[3], from_source[3];
        for (int a = 0; a < 3; a++) {
            across[a] = view->column[a];
            down[a] = view->row[a];
            from_source[a] = view->source[a];
        }
        const float is_cone = view->is_parallel != 0 ? 0.0f : 1.0f;
        if (view->is_parallel == 0) {
            from_source[0] = x - view->source[0];
            from_source[1] = y - view->source[1];
        }
        // Relative to a pixel close by, so that floats hold small parts of a pixel.
        const tomo_real at_depth = value_at(view->depth_form, x, y, first_z), far = 1e8f;
        const tomo_real at_column = value_at(view->column_form, x, y, first_z), at_row = value_at(view->row_form, x, y, first_z);
        const tomo_real near_column = floor(clamp(at_column / at_depth, -far, far)), near_row = floor(clamp(at_row / at_depth, -far, far));
        const float column = at_column - near_column * at_depth, row = at_row - near_row * at_depth, depth_here = at_depth;
        const float column_step = view->column_form[2] - near_column * view->depth_form[2];
        const float row_step = view->row_form[2] - near_row * view->depth_form[2], depth_step = view->depth_form[2];
        for (int i = 0; i < run; i++) {
            const float voxel_depth = depth_here + i * depth_step;
            const float voxel_column = (column + i * column_step) / voxel_depth - 0.5f;
            const float voxel_row = (row + i * row_step) / voxel_depth - 0.5f;
            if (view->is_parallel == 0)
                from_source[2] = first_z + i - view->source[2];
#define GATHER(axis, u_axis, v_axis)                                                                                             \
    gather(weighted + plane, axes + plane, axis, u_axis, v_axis, from_source, voxel_depth, is_cone, across, down, voxel_column, \
           voxel_row, (int)near_column, (int)near_row, columns, rows)
#ifdef MIXED
            // A ray that passes within a voxel goes nearly the voxel's own way from the source.
            const float along_x = fabs(from_source[0]), along_y = fabs(from_source[1]), along_z = fabs(from_source[2]);
            const float least = (fmax(fmax(along_x, along_y), along_z) - 1.0f) * 0.999f;
            if (along_x >= least)
                sums[i] += GATHER(0, 1, 2);
            if (along_y >= least)
                sums[i] += GATHER(1, 0, 2);
            if (along_z >= least)
                sums[i] += GATHER(2, 0, 1);
#else
            if (view->driving == 0)
                sums[i] += GATHER(0, 1, 2);
            else if (view->driving == 1)
                sums[i] += GATHER(1, 0, 2);
            else
                sums[i] += GATHER(2, 0, 1);
#endif
        }
    }
    for (int i = 0; i < run; i++)
        AT(out, tomo_index(x, y, first_z + i, width, height)) = sums[i];
}
