// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Backprojection in any geometry: a voxel is seen where two linear forms of its numbers, each over a third one, say.
//
// general-backproject-columns.cl is faster on GPUs, in float32 and where addressing modes don't begin anew.
//
// Options: REAL, which numbers are computed in; SUM and PROJECTION, which sums and projections are kept in; ADDRESSING;
// TILE_L, TILE_M, TILE_N and BURST; LANES and ROWS of work-groups, on GPUs; LINES, on CPUs, see there; PARALLEL without
// perspective, TILTED where the distance is not the depth, PER_PLANE where each n has views of its own.

#include "general-view.h"

#define FAR 1e8f // pixels; an int holds their number

#define LOAD_AS(type, base, i) TOMO_JOIN(tomo_load_, type)(base, i)

// ------------------------------------------------------------------------------------------------------ Projections

// Rows from `first_row` on, with a border, whose pixels the addressing mode gives where it is outside, and transposed for
// TRANSPOSED.
#ifdef PROJECTION
kernel void pack_projection(IN(in), global PROJECTION *restrict out, const ulong at, const uint columns, const uint rows,
                            const uint first_row) {
    const int f = get_global_id(0), s = get_global_id(1);
    const ulong i = at + (ulong)s * get_global_size(0) + f;
#ifdef TRANSPOSED
    const int column = tomo_address(s - BORDER, columns, ADDRESSING);
    const int row = tomo_address((int)first_row + f - BORDER, rows, ADDRESSING);
#else
    const int column = tomo_address(f - BORDER, columns, ADDRESSING);
    const int row = tomo_address((int)first_row + s - BORDER, rows, ADDRESSING);
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

// A form from a tile's first voxel on.
typedef struct {
    REAL start, l, m, n;
} Form;

// The same, relative to a pixel in the middle of what the tile shows: so a float holds small parts of a pixel, wherever the
// pixel is. The pixel is one of the window.
typedef struct {
    Form fast, slow, depth, distance;
    REAL weight;
    int fast_pixel, slow_pixel;
} Tile;

static Form form_at(global const tomo_real *form, const uint l, const uint m, const uint n) {
    const Form result = {at(form, l, m, n), form[0], form[1], form[2]};
    return result;
}

// As seen from this pixel.
static Form relative(global const tomo_real *form, global const tomo_real *depth, const tomo_real pixel, const uint l,
                     const uint m, const uint n) {
    const Form result = {at(form, l, m, n) - pixel * at(depth, l, m, n), form[0] - pixel * depth[0],
                         form[1] - pixel * depth[1], form[2] - pixel * depth[2]};
    return result;
}

static REAL value(const Form form, const REAL l, const REAL m, const REAL n) {
    return form.start + l * form.l + m * form.m + n * form.n;
}

// The tile that begins at (l, m, n) in a volume of this size.
static Tile place(global const View *view, const uint l, const uint m, const uint n, const uint lanes, const uint rows,
                  const uint planes, const int4 window) {
    const tomo_real mid_l = l + (min(lanes - l, (uint)TILE_L) - 1) / 2, mid_m = m + (min(rows - m, (uint)TILE_M) - 1) / 2;
    const tomo_real mid_n = n + (min(planes - n, (uint)TILE_N) - 1) / 2, far = 1e9f;
    const tomo_real depth = at(view->depth, mid_l, mid_m, mid_n);
    const tomo_real fast = floor(clamp(at(view->fast, mid_l, mid_m, mid_n) / depth, -far, far));
    const tomo_real slow = floor(clamp(at(view->slow, mid_l, mid_m, mid_n) / depth, -far, far));
    const Tile tile = {relative(view->fast, view->depth, fast, l, m, n), relative(view->slow, view->depth, slow, l, m, n),
                       form_at(view->depth, l, m, n), form_at(view->distance, l, m, n), view->weight, (int)fast - window.x,
                       (int)slow - window.y};
    return tile;
}

// clamp() and floor() are branches in PoCL 3.1.
static REAL within(const REAL value, const REAL low, const REAL high) {
    return value < low ? low : value > high ? high : value;
}
static int whole_below(const REAL value) {
#ifdef LANES
    return (int)floor(value);
#else
    const int whole = (int)value;
    return whole - ((REAL)whole > value);
#endif
}

static REAL load(global const PROJECTION *projection, const ulong i) {
    return LOAD_AS(PROJECTION, projection, i);
}

// Between pixels, whose middles are at whole numbers, counted from the tile's pixel.
static REAL between_pixels(global const PROJECTION *projection, const ulong start, const REAL fast, const REAL slow,
                           const int fast_pixel, const int slow_pixel, const int fasts, const int slows) {
    const int fast_below = whole_below(fast), slow_below = whole_below(slow);
    const REAL f = fast - (REAL)fast_below, s = slow - (REAL)slow_below;
    const int column = fast_below + fast_pixel, row = slow_below + slow_pixel;
    const int pitch = fasts + 2 * BORDER;
#if ADDRESSING < 3
    global const PROJECTION *const first = projection + start; // 32 bits count its texels
    const int i = (clamp(row, -BORDER, slows) + BORDER) * pitch + clamp(column, -BORDER, fasts) + BORDER;
    const REAL a = load(first, i), b = load(first, i + 1), c = load(first, i + pitch), d = load(first, i + pitch + 1);
#else
    const int left = tomo_address(column, fasts, ADDRESSING) + BORDER;
    const int right = tomo_address(column + 1, fasts, ADDRESSING) + BORDER;
    const ulong above = start + (ulong)(tomo_address(row, slows, ADDRESSING) + BORDER) * pitch;
    const ulong below = start + (ulong)(tomo_address(row + 1, slows, ADDRESSING) + BORDER) * pitch;
    const REAL a = load(projection, above + left), b = load(projection, above + right);
    const REAL c = load(projection, below + left), d = load(projection, below + right);
#endif
    const REAL upper = a + f * (b - a), lower = c + f * (d - c);
    return upper + s * (lower - upper);
}

// Of voxel (l, m, n) of the tile.
static REAL sample(const Tile *tile, global const PROJECTION *projection, const ulong start, const REAL l, const REAL m,
                   const REAL n, const int fasts, const int slows) {
    REAL fast = value(tile->fast, l, m, n), slow = value(tile->slow, l, m, n), weight = tile->weight;
#ifndef PARALLEL
    const REAL inverse = 1 / value(tile->depth, l, m, n);
    fast *= inverse;
    slow *= inverse;
#ifdef TILTED
    const REAL distance = value(tile->distance, l, m, n);
    weight /= distance * distance;
#else
    weight *= inverse * inverse;
#endif
#endif
    const REAL half_pixel = 0.5f, far = FAR;
    return weight * between_pixels(projection, start, within(fast - half_pixel, -far, far),
                                   within(slow - half_pixel, -far, far), tile->fast_pixel, tile->slow_pixel, fasts, slows);
}

static void add_to(global SUM *sums, const ulong i, const REAL value, const uint is_first) {
#ifdef SUM_IS_HALF
    vstore_half(is_first ? value : value + vload_half(i, sums), i, sums);
#else
    sums[i] = is_first ? value : value + sums[i];
#endif
}

#ifdef LANES

// A work-group of LANES x ROWS work-items makes a tile of TILE_L x TILE_M x 1 voxels.
kernel __attribute__((reqd_work_group_size(LANES, ROWS, 1))) void
backproject(global const PROJECTION *restrict projections, global const View *restrict views, global SUM *restrict sums,
            const uint lanes, const uint rows, const uint planes, const uint first_plane, const uint fasts, const uint slows,
            const uint count, const uint is_first, const uint4 part, const int4 window) {
    local Tile tiles[BURST];
    const uint first_l = (part.x / TILE_L + get_group_id(0)) * TILE_L, first_m = get_group_id(1) * TILE_M;
    const uint n = first_plane + get_group_id(2);
    const uint item = get_local_id(1) * LANES + get_local_id(0);
    if (item < count)
        tiles[item] = place(VIEW(views, n, item), first_l, first_m, n, lanes, rows, planes, window);
    barrier(CLK_LOCAL_MEM_FENCE);

    REAL totals[TILE_M / ROWS][TILE_L / LANES];
    for (int j = 0; j < TILE_M / ROWS; j++)
        for (int i = 0; i < TILE_L / LANES; i++)
            totals[j][i] = 0;
    const ulong size = (ulong)(fasts + 2 * BORDER) * (slows + 2 * BORDER);
    for (uint v = 0; v < count; v++) {
        const Tile tile = tiles[v];
#pragma unroll
        for (int j = 0; j < TILE_M / ROWS; j++) {
#pragma unroll
            for (int i = 0; i < TILE_L / LANES; i++)
                totals[j][i] += sample(&tile, projections, v * size, get_local_id(0) + i * LANES,
                                       get_local_id(1) + j * ROWS, 0, fasts, slows);
        }
    }
    for (int j = 0; j < TILE_M / ROWS; j++)
        for (int i = 0; i < TILE_L / LANES; i++) {
            const uint l = first_l + get_local_id(0) + i * LANES, m = first_m + get_local_id(1) + j * ROWS;
            if (l >= part.x && l < part.x + part.y && m < rows)
                add_to(sums, ((ulong)(n - part.z) * rows + m) * part.y + (l - part.x), totals[j][i], is_first);
        }
}

#else

// A work-item makes a tile, on CPUs.

#ifdef LINES
// With LINES, a column of the tile is seen in one line of the projection along f, because neither s nor the depth change with
// l. So neighbouring lines are interpolated once for the whole column; its voxels lie at even steps in the result.

#define LANES_OF_CPU 16
#define LINE (2 * TILE_L + 2 * LANES_OF_CPU) // samples of a line that a column may see

#if defined(__AVX512F__) && defined(__has_builtin)
#if __has_builtin(__builtin_ia32_vpermi2varps512)
#define PICK(line, index) __builtin_ia32_vpermi2varps512(vload16(0, line), index, vload16(1, line))
#endif
#endif

// Adds the samples at `start` + i * `step` of the line to the sums, i = `from` ... `to` - 1, and perhaps some more.
static void add_line(const float *line, const float start, const float step, float *sums, const int from, const int to) {
#ifdef PICK
    const float16 lane = (float16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    if (step < 1.8f && step > -1.8f) { // sixteen lanes see less than thirty samples
        for (int i = from / LANES_OF_CPU * LANES_OF_CPU; i < to; i += LANES_OF_CPU) {
            const float first = start + (float)i * step, last = first + 15.0f * step;
            const int below = (int)(first < last ? first : last);
            const float16 place = (first - (float)below) + lane * step;
            const int16 index = __builtin_convertvector(place, int16);
            const float16 fraction = place - __builtin_convertvector(index, float16);
            const float16 a = PICK(line + below, index), b = PICK(line + below, index + 1);
            *(float16 *)(sums + i) += a + fraction * (b - a);
        }
        return;
    }
#endif
    for (int i = from; i < to; i++) {
        const float place = start + (float)i * step;
        const int index = (int)place;
        const float a = line[index];
        sums[i] += a + (place - (float)index) * (line[index + 1] - a);
    }
}

// Lanes `from_l` to before `to_l` of column (m, n) of the tile. Returns false where it sees more of a line than there is
// place for.
static int add_column(const Tile *tile, global const PROJECTION *projection, const ulong start, const float m,
                      const float n, const int fasts, const int slows, const int from_l, const int to_l, float *sums) {
    float line[LINE];
    float weight = tile->weight, inverse = 1.0f;
#ifndef PARALLEL
    inverse = 1.0f / value(tile->depth, 0.0f, m, n);
#ifdef TILTED
    const float distance = value(tile->distance, 0.0f, m, n);
    weight /= distance * distance;
#else
    weight *= inverse * inverse;
#endif
#endif
    const float slow = within(value(tile->slow, 0.0f, m, n) * inverse - 0.5f, -FAR, FAR);
    const float first = within(value(tile->fast, 0.0f, m, n) * inverse - 0.5f, -FAR, FAR);
    const float step = tile->fast.l * inverse, last = first + step * (TILE_L - 1);
    const int low = whole_below(first < last ? first : last);
    const float used = (first < last ? last - first : first - last) + 3.0f;
    if (!(used < (float)(LINE - 2 * LANES_OF_CPU)))
        return 0;
    const int slow_below = whole_below(slow);
    const float s = slow - (float)slow_below, upper = weight * (1.0f - s), lower = weight * s;
    const int pitch = fasts + 2 * BORDER, row = clamp(slow_below + tile->slow_pixel, -BORDER, slows) + BORDER;
    const int begin = low + tile->fast_pixel, samples = (int)used + 1;
    const ulong at = start + (ulong)(row * pitch);
    // Samples before `inner` and from `outer` on lie beyond the projection, where all are what its border has.
    const int inner = clamp(-BORDER - begin, 0, samples), outer = clamp(fasts + BORDER - begin, inner, samples);
    const ulong from = at + (ulong)(begin + BORDER);
    if (2 * (to_l - from_l) <= TILE_L) {
        // Few samples for few lanes.
        const float a = first + (float)from_l * step, b = first + (float)(to_l - 1) * step;
        const int left = clamp(whole_below(a < b ? a : b) - low - 1, 0, samples);
        const int right = clamp(whole_below(a < b ? b : a) - low + 3, left, samples);
        for (int i = left; i < right; i++) {
            const ulong x = i < inner ? at : i < outer ? from + (ulong)i : at + pitch - 1;
            line[i] = upper * load(projection, x) + lower * load(projection, x + pitch);
        }
        add_line(line, first - (float)low, step, sums, from_l, to_l);
        return 1;
    }
    for (int i = inner; i < outer; i++)
        line[i] = upper * load(projection, from + (ulong)i) + lower * load(projection, from + (ulong)i + pitch);
    const float before = upper * load(projection, at) + lower * load(projection, at + pitch);
    for (int i = 0; i < inner; i++)
        line[i] = before;
    const ulong end = at + pitch - 1;
    const float behind = upper * load(projection, end) + lower * load(projection, end + pitch);
    for (int i = outer; i < samples; i++)
        line[i] = behind;
    for (int i = samples; i < samples + LANES_OF_CPU; i++) // loaded, never used
        line[i] = 0.0f;
    add_line(line, first - (float)low, step, sums, 0, TILE_L);
    return 1;
}
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
backproject(global const PROJECTION *restrict projections, global const View *restrict views, global SUM *restrict sums,
            const uint lanes, const uint rows, const uint planes, const uint first_plane, const uint fasts, const uint slows,
            const uint count, const uint is_first, const uint4 part, const int4 window) {
    const uint first_l = (part.x / TILE_L + get_group_id(0)) * TILE_L, first_m = get_group_id(1) * TILE_M;
    const uint first_n = first_plane + get_group_id(2) * TILE_N;
    // Of the tile.
    const int from_l = max(first_l, part.x) - first_l, to_l = min(part.x + part.y - first_l, (uint)TILE_L);
    const int from_n = max(first_n, part.z) - first_n, to_n = min(part.z + part.w - first_n, (uint)TILE_N);
    const int tile_m = min(rows - first_m, (uint)TILE_M);
    REAL totals[TILE_N * TILE_M][TILE_L] __attribute__((aligned(64)));
    for (int c = 0; c < TILE_N * TILE_M; c++)
        for (int i = 0; i < TILE_L; i++)
            totals[c][i] = 0;
    const ulong size = (ulong)(fasts + 2 * BORDER) * (slows + 2 * BORDER);
    for (uint v = 0; v < count; v++) {
        const Tile tile = place(VIEW(views, first_n, v), first_l, first_m, first_n, lanes, rows, planes, window);
        for (int k = from_n; k < to_n; k++)
            for (int j = 0; j < tile_m; j++) {
                REAL *const column = totals[k * TILE_M + j];
#ifdef LINES
                if (add_column(&tile, projections, v * size, j, k, fasts, slows, from_l, to_l, column))
                    continue;
#endif
                for (int i = from_l; i < to_l; i++)
                    column[i] += sample(&tile, projections, v * size, i, j, k, fasts, slows);
            }
    }
    for (int k = from_n; k < to_n; k++)
        for (int j = 0; j < tile_m; j++) {
            const ulong at = ((ulong)(first_n + k - part.z) * rows + first_m + j) * part.y + first_l - part.x;
            for (int i = from_l; i < to_l; i++)
                add_to(sums, at + i, totals[k * TILE_M + j][i], is_first);
        }
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
    // Devices convert NaN differently.
    AT(out, to) = isnan(value) ? 0 : TO_INTEGER((value - minimum) * scale);
#else
    AT(out, to) = value;
#endif
}
#endif
