// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The transpose of general-project-lines.cl, on GPUs. All voxels of a column along z are passed by rays of the same detector
// columns, as close across. So a work-group finds these once for its columns of voxels, with their weights, and its work-items
// are neighbours along z. Projections lie with rows fastest, in a border of zeros.
//
// Options: AWAY columns and AWAY_ROWS rows on either side of the pixel where a voxel is seen may have rays that pass it closer
// than a voxel; ROWS of LANES work-items; a group makes TILE_X x TILE_Y columns of STEPS voxels a lane and finds detector
// columns of STAGE views at once. QUADS: texels are samples of four views a quarter of a turn apart, as those of
// general-project-lines.cl; columns and views are those of a square around the volume, and TILE_X x TILE_Y counts orbits of four
// columns that a quarter of a turn takes to each other.

#include "general-orbits.h"
#include "general-rays.h"
#include "rounding.h"

#define LANES 32
#define BORDER (2 * AWAY_ROWS + 1) // rows before and behind the detector's

#ifdef QUADS
typedef float4 Texel;
#define PARTS 4
#else
typedef float Texel;
#define PARTS 1
#endif

// ------------------------------------------------------------------------------------------------------ Projections

kernel void find_paths(global Path *restrict paths, global const RayView *restrict views, const uint columns) {
    const uint column = get_global_id(0), view = get_global_id(1);
    paths[view * columns + column] = path_of(views + view, column, 0);
}

#ifdef PACK_ROWS
#define PACK 32 // pixels across and down that a work-group makes

// Samples times the way of their rays, of `count` views, or quads of them. Work-groups are PACK x PACK_ROWS: along columns,
// then along rows.
kernel void weigh_lines(IN(in), global Texel *restrict out, global const RayView *restrict views, const uint columns,
                        const uint rows, const uint count, const uint is_backwards) {
    local Texel pixels[PACK][PACK + 1];
    const uint first_column = get_group_id(0) * PACK, number = get_group_id(2);
    const int first_row = get_group_id(1) * PACK - BORDER;
    global const RayView *view = views + number;
    for (int j = 0; j < PACK / PACK_ROWS; j++) {
        const uint column = first_column + get_local_id(0);
        const int row = first_row + get_local_id(1) + j * PACK_ROWS;
        Texel value = 0.0f;
        if (column < columns && row >= 0 && row < rows) {
            const Ray ray = ray_of(view, column, row);
            const float way = way_of(view, &ray, driving_axis(view, &ray));
#ifdef QUADS
            float parts[PARTS];
#pragma unroll
            for (uint q = 0; q < PARTS; q++) {
                const uint quarter = is_backwards ? (PARTS - q) % PARTS : q;
                parts[q] = LOAD(in, tomo_index(column, row, number + quarter * count, columns, rows)) * way;
            }
            value = (Texel)(parts[0], parts[1], parts[2], parts[3]);
#else
            value = LOAD(in, tomo_index(column, row, number, columns, rows)) * way;
#endif
        }
        pixels[get_local_id(1) + j * PACK_ROWS][get_local_id(0)] = value;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint pitch = rows + 2 * BORDER;
    for (int j = 0; j < PACK / PACK_ROWS; j++) {
        const uint column = first_column + get_local_id(1) + j * PACK_ROWS;
        const int row = first_row + (int)get_local_id(0) + BORDER;
        if (column < columns && row < pitch)
            out[((ulong)number * columns + column) * pitch + row] = pixels[get_local_id(0)][get_local_id(1) + j * PACK_ROWS];
    }
}
#endif

// -------------------------------------------------------------------------------------------------------- Transpose

#ifdef STAGE
#define TILES (TILE_X * TILE_Y)
#define COLUMNS (PARTS * TILES)
#define OWN (TILES / ROWS) // columns, or orbits, of a row of work-items
#define WINDOW (2 * AWAY + 1)

// A detector column's rays about a column of voxels: their weight across; the row at the middle voxel, relative to one close
// by, and its step; what the weight loses from row to row.
typedef float4 Rays;

// The lowest row, the sample before, and what the step of the rays lacks: over many rows it counts.
typedef float4 Place;

// Finds those that pass the voxels closer than one across. Returns how many.
static int find_rays(global const RayView *view, global const Path *paths, const uint x, const uint y, const uint z,
                     const int columns, const int rows, local Rays *rays, local Place *places) {
    const tomo_real half_pixel = 0.5f, low = -1 - AWAY_ROWS, high = rows + AWAY_ROWS, far = 1e8f;
    const tomo_real depth = view->depth_form[0] * x + view->depth_form[1] * y + view->depth_form[3];
    const tomo_real seen = (view->column_form[0] * x + view->column_form[1] * y + view->column_form[3]) / depth - half_pixel;
    const int nearest = (int)rint(clamp(seen, -far, far));
    int found = 0;
    for (int c = max(nearest - AWAY, 0); c <= min(nearest + AWAY, columns - 1); c++) {
        global const Path *path = paths + c;
        const int is_along_x = path->is_along_x != 0, plane = is_along_x ? x : y, other = is_along_x ? y : x;
        const tomo_real weight = 1 - fabs(path->across[0] + plane * path->across[1] - other);
        if (!(weight > 0))
            continue;
        const tomo_real from_row = path->row[0] + plane * path->row[1], inverse = 1 / from_row;
        const tomo_real row = (z - (path->height[0] + plane * path->height[1])) * inverse;
        const tomo_real pixel = rint(clamp(row, low, high));
        rays[found] = (float4)(weight, row - pixel, inverse, fabs(from_row) * weight);
        const float step = inverse;
        const uint index = c * (rows + 2 * BORDER) + (int)pixel + BORDER - ROUNDING_BITS;
        places[found] = (Place)(low - pixel, as_float(index), inverse - step, 0);
        found++;
    }
    return found;
}

static Texel gather(Texel sum, global const Texel *lines, const Rays rays, const Place place, const float z,
                    const float reach) {
    const float row = fmin(fmax(rays.y + z * rays.z, place.x), place.x + reach), whole = row + ROUNDING;
    // Not of the rounded sum, which is many rows long. Beyond the projection all lines are zeros.
    const float off = fma(z, rays.z, ROUNDING - whole) + fma(z, place.z, rays.y);
    global const Texel *const nearest = lines + (as_uint(place.y) + as_uint(whole));
    sum = fma((Texel)(fmax(rays.x - fabs(off) * rays.w, 0.0f)), nearest[0], sum);
#pragma unroll
    for (int away = 1; away <= AWAY_ROWS; away++) {
        sum = fma((Texel)(fmax(rays.x - ((float)away + off) * rays.w, 0.0f)), nearest[-away], sum);
        sum = fma((Texel)(fmax(rays.x - ((float)away - off) * rays.w, 0.0f)), nearest[away], sum);
    }
    return sum;
}

kernel __attribute__((reqd_work_group_size(LANES, ROWS, 1))) void
gather_lines(global const Texel *restrict weighted, OUT(float, out), global const RayView *restrict views,
             global const Path *restrict paths, const uint width, const uint height, const uint depth, const uint columns,
             const uint rows, const uint count, const uint first_y, const uint first_slice, const uint side,
             const uint volume_x, const uint volume_y) {
    local Rays rays[STAGE * COLUMNS * WINDOW];
    local Place places[STAGE * COLUMNS * WINDOW];
    local int found[STAGE * COLUMNS];
    const uint row = get_local_id(1), item = row * LANES + get_local_id(0);
    const uint first_x = get_group_id(0) * TILE_X, own_y = first_y + get_group_id(1) * TILE_Y;
    const uint first_z = first_slice + get_group_id(2) * LANES * STEPS, middle_z = min(first_z + LANES * STEPS / 2, depth - 1);
    const float lane = (float)(int)(first_z + get_local_id(0) - middle_z);
    const float reach = (float)(int)(rows + 2 * AWAY_ROWS + 1);
    const ulong size = (ulong)columns * (rows + 2 * BORDER);
#ifdef QUADS
    const uint most_x = (side - 1) / 2, most_y = most_x; // an orbit's first column is in a quarter of the square
#else
    const uint most_x = width - 1, most_y = height - 1;
#endif

    Texel totals[OWN][STEPS];
    // Loops over totals are unrolled, so that these stay in registers.
#pragma unroll
    for (int c = 0; c < OWN; c++)
#pragma unroll
        for (int i = 0; i < STEPS; i++)
            totals[c][i] = 0.0f;
    for (uint first = 0; first < count; first += STAGE) {
        if (item < STAGE * COLUMNS) {
            const uint number = first + item / COLUMNS, tile = item % COLUMNS / PARTS;
            uint x = min(first_x + tile % TILE_X, most_x), y = min(own_y + tile / TILE_X, most_y);
#ifdef QUADS
            const uint2 column = turned(x, y, side, item % PARTS);
            x = column.x;
            y = column.y;
#endif
            found[item] = number < count ? find_rays(views + number, paths + (ulong)number * columns, x, y, middle_z, columns,
                                                     rows, rays + item * WINDOW, places + item * WINDOW)
                                         : 0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
        for (int v = 0; v < STAGE; v++) {
            global const Texel *const lines = weighted + (first + v) * size;
#pragma unroll
            for (int c = 0; c < OWN; c++) {
#pragma unroll
                for (int p = 0; p < PARTS; p++) {
                    const int k = v * COLUMNS + (row * OWN + c) * PARTS + p;
#pragma unroll 1
                    for (int e = 0; e < found[k]; e++) {
                        const Rays own = rays[k * WINDOW + e];
                        const Place place = places[k * WINDOW + e];
#pragma unroll
                        for (int i = 0; i < STEPS; i++)
                            totals[c][i] = gather(totals[c][i], lines, own, place, lane + (float)(i * LANES), reach);
                    }
#ifdef QUADS
#pragma unroll
                    for (int i = 0; i < STEPS; i++)
                        totals[c][i] = totals[c][i].yzwx; // in the order of the next column; after four, in the first one's
#endif
                }
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
#pragma unroll
    for (int c = 0; c < OWN; c++) {
        const uint x = first_x + (row * OWN + c) % TILE_X, y = own_y + (row * OWN + c) / TILE_X;
        // Where a side is odd, its middle columns are first ones of their orbits once, and the very middle is an orbit.
#ifdef QUADS
        const uint is_middle_y = side % 2 == 1 && y == most_y, is_middle = is_middle_y && x == most_x;
        if (x > most_x || y > most_y || (is_middle_y && !is_middle))
            continue;
#endif
#pragma unroll
        for (int i = 0; i < STEPS; i++) {
            const uint z = first_z + get_local_id(0) + i * LANES;
#ifdef QUADS
            const float of_columns[PARTS] = {totals[c][i].x, totals[c][i].y, totals[c][i].z, totals[c][i].w};
#pragma unroll
            for (int r = 0; r < PARTS; r++) {
                const uint2 column = turned(x, y, side, r) - (uint2)(volume_x, volume_y);
                if (column.x < width && column.y < height && z < depth && !(is_middle && r > 0))
                    AT(out, tomo_index(column.x, column.y, z, width, height)) = of_columns[r];
            }
#else
            if (x < width && y < height && z < depth)
                AT(out, tomo_index(x, y, z, width, height)) = totals[c][i];
#endif
        }
    }
}
#endif
