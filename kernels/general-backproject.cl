// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection in any geometry: a voxel is seen where two linear forms of its numbers, each over a third one, say.
//
// Volumes lie with axis l fastest, then m, then n: z, x, y, or x, y, z. Projections lie accordingly with their fast axis
// first, f, then s: rows, columns, or columns, rows. So neighbours in l are neighbours in a projection, or nearly.
//
// Options: REAL, which numbers are computed in; SUM and PROJECTION, which sums and projections are kept in; ADDRESSING;
// TILE_L, TILE_M and BURST; PARALLEL without perspective, TILTED where the distance is not the depth, PER_PLANE where
// each n has views of its own.

#define BORDER 2 // texels around a projection

#define LOAD_AS(type, base, i) TOMO_JOIN(tomo_load_, type)(base, i)

// ------------------------------------------------------------------------------------------------------ Projections

// With a border, whose pixels the addressing mode gives, and transposed for TRANSPOSED.
#ifdef PROJECTION
kernel void pack_projection(IN(in), global PROJECTION *restrict out, const ulong at, const uint columns, const uint rows) {
    const int f = get_global_id(0), s = get_global_id(1);
    const ulong i = at + (ulong)s * get_global_size(0) + f;
#ifdef TRANSPOSED
    const int column = tomo_address(s - BORDER, columns, ADDRESSING), row = tomo_address(f - BORDER, rows, ADDRESSING);
#else
    const int column = tomo_address(f - BORDER, columns, ADDRESSING), row = tomo_address(s - BORDER, rows, ADDRESSING);
#endif
    const float value = column < 0 || row < 0 ? 0.0f : LOAD(in, (ulong)row * columns + column);
#ifdef PROJECTION_IS_HALF
    vstore_half(value, i, out);
#else
    out[i] = value;
#endif
}
#endif

// --------------------------------------------------------------------------------------------------- Backprojection

#ifdef REAL

// Factors of l, m and n, and the constant: f = fast / depth, s = slow / depth, times weight / distance^2.
typedef struct {
    tomo_real fast[4], slow[4], depth[4], distance[4], weight, unused[3];
} View;

// The same from a tile's first voxel on, relative to a pixel in the middle of what the tile shows: so a float holds small
// parts of a pixel, wherever the pixel is.
typedef struct {
    REAL fast, fast_l, fast_m, slow, slow_l, slow_m, depth, depth_l, depth_m, distance, distance_l, distance_m, weight;
    int fast_pixel, slow_pixel;
} Tile;

static tomo_real at(global const tomo_real *form, const tomo_real l, const tomo_real m, const tomo_real n) {
    return form[0] * l + form[1] * m + form[2] * n + form[3];
}

static Tile place(global const View *view, const uint l, const uint m, const uint n, const uint lanes, const uint rows) {
    const tomo_real mid_l = l + (min(lanes - l, (uint)TILE_L) - 1) / 2, mid_m = m + (min(rows - m, (uint)TILE_M) - 1) / 2;
    const tomo_real depth = at(view->depth, mid_l, mid_m, n);
    const tomo_real far = 1e9f;
    const tomo_real fast = floor(clamp(at(view->fast, mid_l, mid_m, n) / depth, -far, far));
    const tomo_real slow = floor(clamp(at(view->slow, mid_l, mid_m, n) / depth, -far, far));
    const tomo_real depth_here = at(view->depth, l, m, n);
    Tile tile;
    tile.fast_pixel = (int)fast;
    tile.slow_pixel = (int)slow;
    tile.fast = at(view->fast, l, m, n) - fast * depth_here;
    tile.fast_l = view->fast[0] - fast * view->depth[0];
    tile.fast_m = view->fast[1] - fast * view->depth[1];
    tile.slow = at(view->slow, l, m, n) - slow * depth_here;
    tile.slow_l = view->slow[0] - slow * view->depth[0];
    tile.slow_m = view->slow[1] - slow * view->depth[1];
    tile.depth = depth_here;
    tile.depth_l = view->depth[0];
    tile.depth_m = view->depth[1];
    tile.distance = at(view->distance, l, m, n);
    tile.distance_l = view->distance[0];
    tile.distance_m = view->distance[1];
    tile.weight = view->weight;
    return tile;
}

static REAL load(global const PROJECTION *projection, const ulong i) {
    return LOAD_AS(PROJECTION, projection, i);
}

// Between pixels, whose middles are at whole numbers, counted from the tile's pixel.
static REAL between_pixels(global const PROJECTION *projection, const ulong start, const REAL fast, const REAL slow,
                           const int fast_pixel, const int slow_pixel, const int fasts, const int slows) {
    const REAL fast_below = floor(fast), slow_below = floor(slow);
    const REAL f = fast - fast_below, s = slow - slow_below;
    const int column = (int)fast_below + fast_pixel, row = (int)slow_below + slow_pixel;
    const int pitch = fasts + 2 * BORDER;
#if ADDRESSING < 3
    const ulong i = start + (ulong)((clamp(row, -BORDER, slows) + BORDER) * pitch + clamp(column, -BORDER, fasts) + BORDER);
    const REAL a = load(projection, i), b = load(projection, i + 1);
    const REAL c = load(projection, i + pitch), d = load(projection, i + pitch + 1);
#else
    const int left = tomo_address(column, fasts, ADDRESSING) + BORDER, right = tomo_address(column + 1, fasts, ADDRESSING) + BORDER;
    const ulong above = start + (ulong)(tomo_address(row, slows, ADDRESSING) + BORDER) * pitch;
    const ulong below = start + (ulong)(tomo_address(row + 1, slows, ADDRESSING) + BORDER) * pitch;
    const REAL a = load(projection, above + left), b = load(projection, above + right);
    const REAL c = load(projection, below + left), d = load(projection, below + right);
#endif
    const REAL upper = a + f * (b - a), lower = c + f * (d - c);
    return upper + s * (lower - upper);
}

#define FAR 1e8f // pixels; an int holds their number

// Of voxel (l, m) of the tile.
static REAL sample(const Tile *tile, global const PROJECTION *projection, const ulong start, const REAL l, const REAL m,
                   const int fasts, const int slows) {
    REAL fast = tile->fast + l * tile->fast_l + m * tile->fast_m;
    REAL slow = tile->slow + l * tile->slow_l + m * tile->slow_m;
    REAL weight = tile->weight;
#ifndef PARALLEL
    const REAL inverse = 1 / (tile->depth + l * tile->depth_l + m * tile->depth_m);
    fast *= inverse;
    slow *= inverse;
#ifdef TILTED
    const REAL distance = tile->distance + l * tile->distance_l + m * tile->distance_m;
    weight /= distance * distance;
#else
    weight *= inverse * inverse;
#endif
#endif
    const REAL half_pixel = 0.5f, far = FAR;
    return weight * between_pixels(projection, start, clamp(fast - half_pixel, -far, far),
                                   clamp(slow - half_pixel, -far, far), tile->fast_pixel, tile->slow_pixel, fasts, slows);
}

static void add_to(global SUM *sums, const ulong i, const REAL value, const uint is_first) {
#ifdef SUM_IS_HALF
    vstore_half(is_first ? value : value + vload_half(i, sums), i, sums);
#else
    sums[i] = is_first ? value : value + sums[i];
#endif
}

#ifdef PER_PLANE
#define VIEW(views, n, v) (views) + (n) * BURST + (v)
#else
#define VIEW(views, n, v) (views) + (v)
#endif

#ifdef LANES

// A work-group of LANES x ROWS work-items makes a tile of TILE_L x TILE_M voxels.
kernel __attribute__((reqd_work_group_size(LANES, ROWS, 1))) void
backproject(global const PROJECTION *restrict projections, global const View *restrict views, global SUM *restrict sums,
            const uint lanes, const uint rows, const uint first_plane, const uint fasts, const uint slows, const uint count,
            const uint is_first) {
    local Tile tiles[BURST];
    const uint first_l = get_group_id(0) * TILE_L, first_m = get_group_id(1) * TILE_M, n = first_plane + get_group_id(2);
    const uint item = get_local_id(1) * LANES + get_local_id(0);
    if (item < count)
        tiles[item] = place(VIEW(views, n, item), first_l, first_m, n, lanes, rows);
    barrier(CLK_LOCAL_MEM_FENCE);

    REAL totals[TILE_M / ROWS][TILE_L / LANES];
    for (int j = 0; j < TILE_M / ROWS; j++)
        for (int i = 0; i < TILE_L / LANES; i++)
            totals[j][i] = 0;
    const ulong size = (ulong)(fasts + 2 * BORDER) * (slows + 2 * BORDER);
    for (uint v = 0; v < count; v++) {
        const Tile tile = tiles[v];
#pragma unroll
        for (int j = 0; j < TILE_M / ROWS; j++)
#pragma unroll
            for (int i = 0; i < TILE_L / LANES; i++)
                totals[j][i] += sample(&tile, projections, v * size, get_local_id(0) + i * LANES,
                                       get_local_id(1) + j * ROWS, fasts, slows);
    }
    for (int j = 0; j < TILE_M / ROWS; j++)
        for (int i = 0; i < TILE_L / LANES; i++) {
            const uint l = first_l + get_local_id(0) + i * LANES, m = first_m + get_local_id(1) + j * ROWS;
            if (l < lanes && m < rows)
                add_to(sums, ((ulong)n * rows + m) * lanes + l, totals[j][i], is_first);
        }
}

#else

// A work-item makes a tile, on CPUs.
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
backproject(global const PROJECTION *restrict projections, global const View *restrict views, global SUM *restrict sums,
            const uint lanes, const uint rows, const uint first_plane, const uint fasts, const uint slows, const uint count,
            const uint is_first) {
    const uint first_l = get_group_id(0) * TILE_L, first_m = get_group_id(1) * TILE_M, n = first_plane + get_group_id(2);
    const int tile_l = min(lanes - first_l, (uint)TILE_L), tile_m = min(rows - first_m, (uint)TILE_M);
    REAL totals[TILE_M][TILE_L];
    for (int j = 0; j < TILE_M; j++)
        for (int i = 0; i < TILE_L; i++)
            totals[j][i] = 0;
    const ulong size = (ulong)(fasts + 2 * BORDER) * (slows + 2 * BORDER);
    for (uint v = 0; v < count; v++) {
        const Tile tile = place(VIEW(views, n, v), first_l, first_m, n, lanes, rows);
        for (int j = 0; j < tile_m; j++)
            for (int i = 0; i < tile_l; i++)
                totals[j][i] += sample(&tile, projections, v * size, i, j, fasts, slows);
    }
    for (int j = 0; j < tile_m; j++)
        for (int i = 0; i < tile_l; i++)
            add_to(sums, ((ulong)n * rows + first_m + j) * lanes + first_l + i, totals[j][i], is_first);
}

#endif
#endif

// ----------------------------------------------------------------------------------------------------------- Slices

// Planes z from first_plane on, x fastest, in the type STORE: values from `minimum` on become integers of that scale.
#ifdef STORE
kernel void copy_slices(global const SUM *restrict sums, OUT(STORE, out), const ulong step_x, const ulong step_y,
                        const ulong step_z, const uint width, const uint height, const uint depth, const uint first_plane,
                        const tomo_real minimum, const tomo_real scale) {
    const uint x = get_global_id(0), z = get_global_id(1), y = get_global_id(2);
    if (x >= width || z >= depth)
        return;
    const ulong from = x * step_x + y * step_y + (first_plane + z) * step_z;
#ifdef SUM_IS_HALF
    const tomo_real value = vload_half(from, sums);
#else
    const tomo_real value = sums[from];
#endif
    const ulong to = tomo_index(x, y, z, width, height);
#if defined(STORE_IS_HALF)
    vstore_half((float)value, to, out_base + out_at);
#elif defined(TO_INTEGER)
    AT(out, to) = TO_INTEGER((value - minimum) * scale);
#else
    AT(out, to) = value;
#endif
}
#endif
