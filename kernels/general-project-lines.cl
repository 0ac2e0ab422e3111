// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Line integrals as those of general-project.cl, of upright beams on GPUs: all rays of a detector column meet a plane along
// their driving axis, x or y, in one place, so the volume's lines along z there are those of the column. A work-group computes
// the places of its columns once, and its work-items are neighbours along the column. One copy of the volume, z fastest and in
// a border of zeros, serves both driving axes.
//
// Options: LINES, of general-columns.h; ROWS of LANES work-items; a group makes TILE_COLUMNS x TILE_VIEWS columns of STEPS rays
// a lane and computes the places in STAGE planes at once. QUADS: texels are voxels that a quarter of a turn about z takes to
// each other, and give rays of four views that are as far apart.

#include "general-view.h"
#include "rounding.h"
#include "general-columns.h"
#include "general-rays.h"

#define LANES 32

#ifdef QUADS
typedef float4 Texel;
#else
typedef float Texel;
#endif

// ---------------------------------------------------------------------------------------------------------- Volume

#ifdef PACK_ROWS
#define PACK 32 // voxels across and along z that a work-group makes

// Voxels that lie `quarters` on, as that part of a texel, of width x height voxels in a rectangle of lines, from (volume_x,
// volume_y) on; where these are turned, the rectangle is a square. Work-groups are PACK x PACK_ROWS: along x or y, as voxels
// are read, then along z.
kernel void pack_lines(IN(in), global float *restrict out, const uint quarters, const uint width, const uint height,
                       const uint depth, const uint lines_x, const uint lines_y, const uint volume_x, const uint volume_y) {
    local float voxels[PACK][PACK + 1];
    const int across = lines_x + 2 * BORDER, along = depth + 2 * BORDER, is_turned = quarters % 2;
    const int side = get_group_id(0) * PACK - BORDER, first_z = get_group_id(1) * PACK - BORDER;
    const int other = (int)get_group_id(2) - BORDER;
    for (int j = 0; j < PACK / PACK_ROWS; j++) {
        const int t = side + get_local_id(0), z = first_z + get_local_id(1) + j * PACK_ROWS;
        const int x = is_turned ? other : t, y = is_turned ? t : other;
        const int back_x = (int)lines_x - 1 - x, back_y = (int)lines_y - 1 - y;
        const int from_x = (quarters == 0 ? x : quarters == 1 ? back_y : quarters == 2 ? back_x : y) - (int)volume_x;
        const int from_y = (quarters == 0 ? y : quarters == 1 ? x : quarters == 2 ? back_y : back_x) - (int)volume_y;
        float value = 0.0f;
        if (from_x >= 0 && from_y >= 0 && z >= 0 && from_x < (int)width && from_y < (int)height && z < (int)depth)
            value = LOAD(in, tomo_index(from_x, from_y, z, width, height));
        voxels[get_local_id(1) + j * PACK_ROWS][get_local_id(0)] = value;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int j = 0; j < PACK / PACK_ROWS; j++) {
        const int t = side + get_local_id(1) + j * PACK_ROWS, z = first_z + get_local_id(0);
        const int x = (is_turned ? other : t) + BORDER, y = (is_turned ? t : other) + BORDER;
        if (x >= across || y >= (int)lines_y + 2 * BORDER || z + BORDER >= along)
            continue;
        const ulong texel = ((ulong)y * across + x) * along + z + BORDER;
#ifdef QUADS
        out[4 * texel + quarters] = voxels[get_local_id(0)][get_local_id(1) + j * PACK_ROWS];
#else
        out[texel] = voxels[get_local_id(0)][get_local_id(1) + j * PACK_ROWS];
#endif
    }
}
#endif

// ------------------------------------------------------------------------------------------------------- Projection

#ifdef STAGE
#define COLUMNS (TILE_COLUMNS * TILE_VIEWS)
#define OWN (COLUMNS / ROWS) // columns of a row of work-items

// The planes in which a path is within the volume, and a few more.
static int2 planes_of(local const Path *path, const int width, const int height) {
    const int planes = path->is_along_x != 0 ? width : height, others = path->is_along_x != 0 ? height : width;
    const tomo_real start = path->across[0], slope = path->across[1], low = -1, high = others, most = planes;
    if (fabs(slope) * most <= 1)
        return start < low - 2 || start > high + 2 ? (int2)(planes, 0) : (int2)(0, planes);
    const tomo_real in = (low - start) / slope, out_of = (high - start) / slope;
    return (int2)((int)clamp(fmin(in, out_of) - 1, (tomo_real)0, most), (int)clamp(fmax(in, out_of) + 2, (tomo_real)0, most));
}

// Beyond the last plane there is the border.
static Column place_in(local const Path *path, const int plane, const int width, const int height, const int depth) {
    const int planes = path->is_along_x != 0 ? width : height, others = path->is_along_x != 0 ? height : width;
    const tomo_real half_voxel = 0.5f, low = -BORDER, high_z = depth, high = others;
    const tomo_real across = clamp(path->across[0] + plane * path->across[1], low, high), line = floor(across);
    const tomo_real z = path->height[0] + plane * path->height[1], voxel = floor(clamp(z, low, high_z));
    const tomo_real lower = across - line;
    const int n = min(plane, planes) + BORDER, other = (int)line + BORDER;
    const uint pitch = depth + 2 * BORDER, row = width + 2 * BORDER;
    const uint first = (path->is_along_x != 0 ? other * row + n : n * row + other) * pitch;
    Column column;
    column.line = (float4)(1 - lower, lower, z - voxel - half_voxel, path->row[0] + plane * path->row[1]);
    column.place = (float2)(low - voxel, as_float(first + (uint)((int)voxel + BORDER) - ROUNDING_BITS));
    return column;
}

static Texel add_sample(const Texel sum, global const Texel *volume, const Neighbours at, const uint stride) {
    global const Texel *const here = volume + at.texel, *const next = here + stride;
    const float right = at.upper * at.part, left = at.upper - right;
    const float lower_right = at.lower * at.part, lower_left = at.lower - lower_right;
    const Texel a = here[0], b = here[1], c = next[0], d = next[1];
    return fma((Texel)(lower_right), d, fma((Texel)(lower_left), c, fma((Texel)(right), b, fma((Texel)(left), a, sum))));
}

// Views in the places of `order` from first_place up to end_place, counted from first_view on. Projections number `count`, or
// with QUADS four times as many.
kernel __attribute__((reqd_work_group_size(LANES, ROWS, 1))) void
project_lines(global const Texel *restrict volume, OUT(float, out), global const RayView *restrict views,
              global const uint *restrict order, const uint width, const uint height, const uint depth, const uint columns,
              const uint rows, const uint first_view, const uint first_place, const uint end_place, const uint first_row,
              const uint count, const uint is_backwards) {
    local Path paths[COLUMNS];
    local Column places[STAGE * COLUMNS];
    local int range[2];
    const uint row = get_local_id(1), item = row * LANES + get_local_id(0);
    const uint first_column = get_group_id(0) * TILE_COLUMNS, of_lane = first_row + get_group_id(1) * LANES * STEPS;
    const uint own_place = first_place + get_group_id(2) * TILE_VIEWS;
    const uint middle_row = min(of_lane + LANES * STEPS / 2, rows - 1);
    const float lane = (float)(int)(of_lane + get_local_id(0) - middle_row);
    if (item == 0) {
        range[0] = max(width, height);
        range[1] = 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (item < COLUMNS) {
        const uint column = min(first_column + item % TILE_COLUMNS, columns - 1);
        const uint plane = order[min(own_place + item / TILE_COLUMNS, end_place - 1)];
        paths[item] = path_of(views + first_view + plane, column, middle_row);
        const int2 planes = planes_of(paths + item, width, height);
        atomic_min(range, planes.x);
        atomic_max(range + 1, planes.y);
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    const int first_in = range[0], end = range[1];
    uint strides[OWN];
    Texel totals[OWN][STEPS];
    // Loops over totals are unrolled, so that these stay in registers.
#pragma unroll
    for (int c = 0; c < OWN; c++) {
        strides[c] = (paths[row * OWN + c].is_along_x != 0 ? width + 2 * BORDER : 1) * (depth + 2 * BORDER);
#pragma unroll
        for (int i = 0; i < STEPS; i++)
            totals[c][i] = 0.0f;
    }
    for (int first = first_in; first < end; first += STAGE) {
        for (int j = 0; j < STAGE * COLUMNS / (LANES * ROWS); j++) {
            const uint k = item + j * (LANES * ROWS);
            places[k] = place_in(paths + k % COLUMNS, first + k / COLUMNS, width, height, depth);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
        for (int n = 0; n < min(end - first, STAGE); n++) {
#pragma unroll
            for (int c = 0; c < OWN; c++) {
                const Column place = own_column(places + n * COLUMNS + row * OWN + c);
#pragma unroll
                for (int i = 0; i < STEPS; i++)
                    totals[c][i] =
                        add_sample(totals[c][i], volume, seen_by(&place, lane + (float)(i * LANES), depth, 0), strides[c]);
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#pragma unroll
    for (int c = 0; c < OWN; c++) {
        const uint own = row * OWN + c, column = first_column + own % TILE_COLUMNS, place = own_place + own / TILE_COLUMNS;
        if (column >= columns || place >= end_place)
            continue;
        const uint plane = order[place];
#pragma unroll
        for (int i = 0; i < STEPS; i++) {
            const uint r = of_lane + get_local_id(0) + i * LANES;
            if (r >= rows)
                continue;
            global const RayView *view = views + first_view + plane;
            const Ray ray = ray_of(view, column, r);
            const float way = way_of(view, &ray, paths[own].is_along_x != 0 ? 0 : 1);
#ifdef QUADS
            const float parts[4] = {totals[c][i].x, totals[c][i].y, totals[c][i].z, totals[c][i].w};
#pragma unroll
            for (uint q = 0; q < 4; q++) {
                const uint quarter = is_backwards ? (4 - q) % 4 : q;
                AT(out, tomo_index(column, r, plane + quarter * count, columns, rows)) = parts[q] * way;
            }
#else
            AT(out, tomo_index(column, r, plane, columns, rows)) = totals[c][i] * way;
#endif
        }
    }
}
#endif
