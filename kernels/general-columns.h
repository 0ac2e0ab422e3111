// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Columns of voxels along l as a view sees them: a work-group computes their numbers once, in tomo_real, and its work-items,
// neighbours along l, sample them by floats. Numbers are relative to a voxel in the middle of the column's part and to a pixel
// where that is seen, so a float holds small parts of a pixel.
//
// Options: LINES where neither s nor the depth change with l, so that a column is seen in one line along f; PARALLEL without
// perspective; TILTED where the distance is not the depth. Comes after general-view.h and rounding.h.

// Positions are those of a texel's middle less a half, so that the nearest whole number is the texel below.
typedef struct {
#ifdef LINES
    float4 line;  // weights of the line above and of the one below; the position at the column's middle, and its step
    float2 place; // lowest position, texels before the line
#else
    float4 seen;  // forms of f and s: at the middle, and their steps
    float4 depth; // the same of the depth and the distance
    float4 place; // lowest f and s, texels before, weight
#endif
} Column;

// Columns at voxel (l, m, n), in a window of the detector.
static Column column_of(global const View *view, const tomo_real l, const tomo_real m, const tomo_real n, const int fasts,
                        const int slows, const int4 window) {
    const tomo_real half_pixel = 0.5f, low = -BORDER, high_f = window.z;
    const tomo_real low_f = window.x - BORDER, low_s = window.y - BORDER;
    const uint pitch = fasts + 2 * BORDER;
#ifdef PARALLEL
    const tomo_real depth = 1, inverse = 1;
#else
    const tomo_real depth = at(view->depth, l, m, n), inverse = 1 / depth;
#endif
    const tomo_real fast = at(view->fast, l, m, n) * inverse - half_pixel;
    const tomo_real pixel_f = floor(clamp(fast, low, high_f));
    Column column;
#ifdef LINES
    // In the border all lines are alike.
    const tomo_real high_s = window.y + slows;
    const tomo_real slow = clamp(at(view->slow, l, m, n) * inverse - half_pixel, low_s, high_s), pixel_s = floor(slow);
#ifdef TILTED
    const tomo_real distance = at(view->distance, l, m, n), weight = view->weight / (distance * distance);
#else
    const tomo_real weight = view->weight * inverse * inverse;
#endif
    const tomo_real lower = weight * (slow - pixel_s);
    column.line = (float4)(weight - lower, lower, fast - pixel_f - half_pixel, view->fast[0] * inverse);
    const uint index = ((int)pixel_s - window.y + BORDER) * pitch + (int)pixel_f - window.x + BORDER - ROUNDING_BITS;
    column.place = (float2)(low_f - pixel_f, as_float(index));
#else
    const tomo_real high_s = window.w, pixel_s = floor(clamp(at(view->slow, l, m, n) * inverse - half_pixel, low, high_s));
    const tomo_real origin_f = pixel_f + 1, origin_s = pixel_s + 1;
#ifdef PARALLEL
    const tomo_real depth_step = 0;
#else
    const tomo_real depth_step = view->depth[0];
#endif
    column.seen = (float4)(at(view->fast, l, m, n) - origin_f * depth, view->fast[0] - origin_f * depth_step,
                           at(view->slow, l, m, n) - origin_s * depth, view->slow[0] - origin_s * depth_step);
    column.depth = (float4)(depth, depth_step, at(view->distance, l, m, n), view->distance[0]);
    const uint index =
        ((int)pixel_s - window.y + BORDER - ROUNDING_BITS) * pitch + (int)pixel_f - window.x + BORDER - ROUNDING_BITS;
    column.place = (float4)(low_f - pixel_f, low_s - pixel_s, as_float(index), view->weight);
#endif
    return column;
}

// A device's own reciprocal may be a rough one: a step of Newton makes it exact enough.
static float reciprocal(const float value) {
    const float rough = native_recip(value);
    return rough + rough * (1.0f - value * rough);
}

// Four neighbours in a projection: the first texel, the weights of the line above and of the one below, and the part of the
// samples behind the first ones.
typedef struct {
    uint texel;
    float upper, lower, part;
} Neighbours;

// A copy of one in local memory, member by member: one of the whole may stay in private memory.
static Column own_column(local const Column *column) {
    Column own;
#ifdef LINES
    own.line = column->line;
#else
    own.seen = column->seen;
    own.depth = column->depth;
#endif
    own.place = column->place;
    return own;
}

// Of the voxel that is `l` away from the column's middle.
static Neighbours seen_by(const Column *column, const float l, const int fasts, const int slows) {
    Neighbours result;
#ifdef LINES
    const float low = column->place.x, high = low + (float)(fasts + BORDER);
    const float fast = fmin(fmax(column->line.z + l * column->line.w, low), high), whole = fast + ROUNDING;
    result.texel = as_uint(column->place.y) + as_uint(whole);
    result.upper = column->line.x;
    result.lower = column->line.y;
    result.part = fast - (whole - ROUNDING) + 0.5f;
#else
    float fast = column->seen.x + l * column->seen.y, slow = column->seen.z + l * column->seen.w, weight = column->place.w;
#ifndef PARALLEL
    const float inverse = reciprocal(column->depth.x + l * column->depth.y);
    fast *= inverse;
    slow *= inverse;
#ifdef TILTED
    const float nearness = reciprocal(column->depth.z + l * column->depth.w);
    weight *= nearness * nearness;
#else
    weight *= inverse * inverse;
#endif
#endif
    fast = fmin(fmax(fast, column->place.x), column->place.x + (float)(fasts + BORDER));
    slow = fmin(fmax(slow, column->place.y), column->place.y + (float)(slows + BORDER));
    const float whole_f = fast + ROUNDING, whole_s = slow + ROUNDING;
    result.texel = as_uint(column->place.z) + as_uint(whole_s) * (uint)(fasts + 2 * BORDER) + as_uint(whole_f);
    result.part = fast - (whole_f - ROUNDING) + 0.5f;
    result.lower = weight * (slow - (whole_s - ROUNDING) + 0.5f);
    result.upper = weight - result.lower;
#endif
    return result;
}
