// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Total variation of slices, in DIMENSIONS dimensions: the length of the forward differences D x of each pixel, which are 0
// behind the last pixel of a row, of a column and, in 3-D, of `neighbours` slices. gst/operators/total-variation.hpp tells more.
// A work-item for each pixel, or for each row.

typedef struct {
    uint x, y, z; // z among its neighbours
    ulong i;      // of the pixel
    ulong step[3];
    bool is_first[3], is_last[3];
    ulong all; // pixels: a dual array has that many for each dimension
} Pixel;

#define SHAPE const uint width, const uint height, const uint depth, const uint neighbours
#define FIND_PIXEL                                                                                                      \
    if (get_global_id(0) >= width || get_global_id(1) >= height)                                                        \
        return;                                                                                                         \
    const Pixel here = pixel_at(get_global_id(0), get_global_id(1), get_global_id(2), width, height, depth, neighbours);

inline Pixel pixel_at(const uint x, const uint y, const uint plane, const uint width, const uint height, const uint depth,
                      const uint neighbours) {
    const uint z = plane % neighbours;
    const ulong image = (ulong)width * height;
    Pixel pixel = {x, y, z, tomo_index(x, y, plane, width, height), {1, width, image},
                   {x == 0, y == 0, z == 0}, {x == width - 1, y == height - 1, z == neighbours - 1}, image * depth};
    return pixel;
}

// Some kernels go along lines of pixels, a whole row on CPUs (ROWS), which takes its pixels as vectors, and a pixel
// elsewhere. Parts of a dual array for each direction have zeros before them, which stand for what is before the first pixel. As
// differences behind the last pixel of a row, a column or a volume are 0, no pixel needs to know where it lies.
typedef struct {
    uint y, plane, z, from, to; // z among the neighbours; columns
    ulong begin;         // pixel
    ulong step[3];
    ulong part[3]; // where the parts of a dual array begin
} Line;

// One pixel takes no loop: where the compiler knew that there is a single turn, a kernel with nine arrays took 1.7 instead of 6.9 ms for
// 512 x 512 x 512 pixels (an H200).
#ifdef ROWS
#define FOR_PIXELS_OF(line) for (uint x = (line).from; x < (line).to; x++)
#else
#define FOR_PIXELS_OF(line)     \
    const uint x = (line).from; \
    if (x < (line).to)
#endif

inline Line line_at(const uint width, const uint height, const uint depth, const uint neighbours) {
#ifdef ROWS
    const uint from = 0, y = get_global_id(0), plane = get_global_id(1), to = width;
#else
    const uint from = get_global_id(0), y = get_global_id(1), plane = get_global_id(2);
    const uint to = from < width && y < height ? from + 1 : from;
#endif
    const ulong image = (ulong)width * height, all = image * depth;
    Line line = {y, plane, plane % neighbours, from, to, tomo_index(0, y, plane, width, height), {1, width, image},
                 {width, all + 2 * width, 2 * all + 2 * width + image}};
    return line;
}

// (D* p) at pixel i.
inline float transposed_at(const Line *line, global const float *dual, const ulong i) {
    float sum = 0.0f;
#pragma unroll
    for (uint d = 0; d < DIMENSIONS; d++)
        sum += dual[line->part[d] + i - line->step[d]] - dual[line->part[d] + i];
    return sum;
}

// A pixel outside of the mask stays as it is; it is bounded by its value on both sides.
#ifdef MASKED
#define WITHIN(value, i) (mask[i] == 0.0f ? slices[i] : bounded(value, minimum, maximum))
#else
#define WITHIN(value, i) bounded(value, minimum, maximum)
#endif

// NaN stays.
inline float bounded(const float value, const float minimum, const float maximum) {
    return value < minimum ? minimum : value > maximum ? maximum : value;
}

inline float difference_at(global const float *values, const Pixel at, const uint d) {
    return at.is_last[d] ? 0.0f : values[at.i + at.step[d]] - values[at.i];
}

#ifdef ROWS

// The slices that belong to a dual array. Behind the last one, `denoised` has a place that is read but does not count.
kernel void denoise(global const float *restrict noisy, global const float *restrict dual, global float *restrict denoised,
                    global const float *slices, global const float *mask, const float weight, const float minimum,
                    const float maximum, SHAPE) {
    const Line line = line_at(width, height, depth, neighbours);
    FOR_PIXELS_OF(line) {
        const ulong i = line.begin + x;
        denoised[i] = WITHIN(noisy[i] - weight * transposed_at(&line, dual, i), i);
    }
}

// A step for the dual array, and the one `ahead` of it. All is read before anything is written, into variables of their own.
kernel void improve_dual(global const float *restrict denoised, global float *restrict dual, global float *restrict ahead,
                         const float weight, const float momentum, SHAPE) {
    const Line line = line_at(width, height, depth, neighbours);
    const float size = 1.0f / (4 * DIMENSIONS * weight);
    const bool is_last_y = line.y == height - 1, is_last_z = line.z == neighbours - 1;
    FOR_PIXELS_OF(line) {
        const ulong i = line.begin + x, at_x = line.part[0] + i, at_y = line.part[1] + i, at_z = line.part[2] + i;
        const bool is_last_x = x == width - 1;
        const float own = denoised[i], before_x = dual[at_x], before_y = dual[at_y];
        const float step_x = ahead[at_x] + size * (denoised[i + 1] - own);
        const float step_y = ahead[at_y] + size * (denoised[i + width] - own);
        const float value_x = is_last_x ? 0.0f : step_x, value_y = is_last_y ? 0.0f : step_y;
#if DIMENSIONS == 3
        const float before_z = dual[at_z], step_z = ahead[at_z] + size * (denoised[i + line.step[2]] - own);
        const float value_z = is_last_z ? 0.0f : step_z;
        const float squares = value_x * value_x + value_y * value_y + value_z * value_z;
#else
        const float squares = value_x * value_x + value_y * value_y;
#endif
        const float shrink = squares > 1.0f ? 1.0f / sqrt(squares) : 1.0f;
        // 0 times a factor that is NaN is not 0.
        const float new_x = is_last_x ? 0.0f : value_x * shrink, new_y = is_last_y ? 0.0f : value_y * shrink;
#if DIMENSIONS == 3
        const float new_z = is_last_z ? 0.0f : value_z * shrink;
        dual[at_z] = new_z;
        ahead[at_z] = new_z + momentum * (new_z - before_z);
#endif
        dual[at_x] = new_x;
        dual[at_y] = new_y;
        ahead[at_x] = new_x + momentum * (new_x - before_x);
        ahead[at_y] = new_y + momentum * (new_y - before_y);
    }
}

#elif defined(TILE_ROWS)

// Both in one kernel, with `dual`, the one `before` it and the `next` one: the array ahead is dual + momentum (dual - before), and slices stay
// in local memory. So ten numbers of a pixel pass a GPU's memory where two kernels move eighteen. A work-group takes TILE_COLUMNS x TILE_ROWS
// pixels through MARCH slices. On two sides it finds one more pixel, whose value without noise is all that it needs of it.
#define TILE_COLUMNS 64
#define MARCH 32
#define WIDE (TILE_COLUMNS + 1)
#define FOUND (WIDE * (TILE_ROWS + 1))
#define ITEMS (TILE_COLUMNS * TILE_ROWS)
#define TURNS ((FOUND + ITEMS - 1) / ITEMS)

// At a pixel: the array ahead, and the value without noise.
typedef struct {
    float x, y, z, value;
} Found;

#define AHEAD(i) (dual[i] + momentum * (dual[i] - before[i]))

// `above_z`: the array ahead along z in the slice before.
inline Found found_at(global const float *restrict noisy, global const float *restrict dual, global const float *restrict before,
                      global const float *restrict slices, global const float *restrict mask, const Line *line, const ulong i,
                      const float above_z, const float weight, const float momentum, const float minimum, const float maximum) {
    const ulong at_x = line->part[0] + i, at_y = line->part[1] + i;
    Found found = {AHEAD(at_x), AHEAD(at_y), 0.0f, 0.0f};
    float sum = AHEAD(at_x - 1) - found.x;
    sum += AHEAD(at_y - line->step[1]) - found.y;
#if DIMENSIONS == 3
    found.z = AHEAD(line->part[2] + i);
    sum += above_z - found.z;
#endif
    found.value = WITHIN(noisy[i] - weight * sum, i);
    return found;
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
denoise_and_improve_dual(global const float *restrict noisy, global const float *restrict dual, global const float *restrict before,
                         global float *restrict next, global const float *restrict slices, global const float *restrict mask,
                         const float weight, const float momentum, const float minimum, const float maximum, SHAPE) {
    local float values[2][FOUND];
    const uint item = get_local_id(0), chunks = (neighbours + MARCH - 1) / MARCH, from = get_group_id(2) % chunks * MARCH;
    const uint end = min(from + MARCH, neighbours), plane = get_group_id(2) / chunks * neighbours + from;
    const Line line = line_at(width, height, depth, neighbours); // where the arrays' parts begin
    const float size = 1.0f / (4 * DIMENSIONS * weight);
    // By constant indices, so that all of it stays in registers.
    Found here[TURNS];
    ulong at[TURNS];
    bool is_in[TURNS], is_own[TURNS], is_last_x[TURNS], is_last_y[TURNS];
#pragma unroll
    for (int t = 0; t < TURNS; t++) {
        const uint k = item + t * ITEMS, x = get_group_id(0) * TILE_COLUMNS + k % WIDE, y = get_group_id(1) * TILE_ROWS + k / WIDE;
        is_in[t] = k < FOUND && x < width && y < height;
        is_own[t] = is_in[t] && k % WIDE < TILE_COLUMNS && k / WIDE < TILE_ROWS;
        is_last_x[t] = x == width - 1;
        is_last_y[t] = y == height - 1;
        at[t] = tomo_index(x, y, plane, width, height);
        float above_z = 0.0f;
#if DIMENSIONS == 3
        if (is_in[t])
            above_z = AHEAD(line.part[2] + at[t] - line.step[2]);
#endif
        if (is_in[t])
            here[t] = found_at(noisy, dual, before, slices, mask, &line, at[t], above_z, weight, momentum, minimum, maximum);
    }
    for (uint z = from; z < end; z++) {
        local float *const own = values[z % 2]; // the other ones may be read yet
        const bool is_last_z = z == neighbours - 1;
        Found behind[TURNS];
#pragma unroll
        for (int t = 0; t < TURNS; t++) {
            if (is_in[t])
                own[item + t * ITEMS] = here[t].value;
            if (is_in[t] && !is_last_z)
                behind[t] = found_at(noisy, dual, before, slices, mask, &line, at[t] + line.step[2], here[t].z, weight, momentum, minimum,
                                     maximum);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (int t = 0; t < TURNS; t++) {
            if (is_own[t]) {
                const uint k = item + t * ITEMS;
                const float value = here[t].value;
                const float x = is_last_x[t] ? 0.0f : here[t].x + size * (own[k + 1] - value);
                const float y = is_last_y[t] ? 0.0f : here[t].y + size * (own[k + WIDE] - value);
                float squares = x * x + y * y;
#if DIMENSIONS == 3
                const float along = is_last_z ? 0.0f : here[t].z + size * (behind[t].value - value);
                squares += along * along;
#endif
                const float shrink = squares > 1.0f ? 1.0f / sqrt(squares) : 1.0f;
                // 0 times a factor that is NaN is not 0.
                next[line.part[0] + at[t]] = is_last_x[t] ? 0.0f : x * shrink;
                next[line.part[1] + at[t]] = is_last_y[t] ? 0.0f : y * shrink;
#if DIMENSIONS == 3
                next[line.part[2] + at[t]] = is_last_z ? 0.0f : along * shrink;
#endif
            }
            here[t] = behind[t];
            at[t] += line.step[2];
        }
    }
}

#endif

kernel void take_denoised(global const float *noisy, global const float *dual, global float *slices, global float *ahead,
                          global const uint *is_done, global const float *mask, const uint planes, const float weight,
                          const float momentum, const float minimum, const float maximum, SHAPE) {
    const Line line = line_at(width, height, depth, neighbours);
    if (is_done[line.plane / planes])
        return;
    FOR_PIXELS_OF(line) {
        const ulong i = line.begin + x;
        const float before = slices[i], value = WITHIN(noisy[i] - weight * transposed_at(&line, dual, i), i);
        slices[i] = value;
        ahead[i] = value + momentum * (value - before);
    }
}

kernel void split_differences(global const float *slices, global float *shift, global float *target, const float threshold,
                              SHAPE) {
    FIND_PIXEL
    float values[DIMENSIONS], squares = 0.0f;
    for (uint d = 0; d < DIMENSIONS; d++) {
        values[d] = difference_at(slices, here, d) + shift[d * here.all + here.i];
        squares += values[d] * values[d];
    }
    // The copy d keeps what exceeds the threshold, and the shift the rest.
    const float rest = squares > threshold * threshold ? threshold * rsqrt(squares) : 1.0f;
    for (uint d = 0; d < DIMENSIONS; d++) {
        shift[d * here.all + here.i] = rest * values[d];
        target[d * here.all + here.i] = (1.0f - 2.0f * rest) * values[d];
    }
}

kernel void split_bounds(global const float *slices, global float *lag, global float *target, const float minimum,
                         const float maximum, SHAPE) {
    FIND_PIXEL
    const float value = slices[here.i] + lag[here.i], copy = bounded(value, minimum, maximum);
    lag[here.i] = value - copy;
    target[here.i] = 2.0f * copy - value;
}

kernel void add_split_gradient(global float *gradient, global const float *slices, global const float *target,
                               global const float *bounds, const uint is_bounded, const float scale, const float penalty,
                               SHAPE) {
    FIND_PIXEL
    float sum = is_bounded ? bounds[here.i] - slices[here.i] : 0.0f;
    for (uint d = 0; d < DIMENSIONS; d++) {
        const ulong at = d * here.all + here.i;
        if (!here.is_last[d])
            sum -= target[at] - difference_at(slices, here, d);
        if (!here.is_first[d])
            sum += target[at - here.step[d]] - (slices[here.i] - slices[here.i - here.step[d]]);
    }
    gradient[here.i] = scale * gradient[here.i] + penalty * sum;
}

kernel void add_split_product(global float *product, global const float *direction, const uint is_bounded, const float scale,
                              const float penalty, SHAPE) {
    FIND_PIXEL
    float sum = is_bounded ? direction[here.i] : 0.0f;
    for (uint d = 0; d < DIMENSIONS; d++) {
        sum -= difference_at(direction, here, d);
        if (!here.is_first[d])
            sum += direction[here.i] - direction[here.i - here.step[d]];
    }
    product[here.i] = scale * product[here.i] + penalty * sum;
}

// The length of the differences, smoothed where it is 0 (Sidky, Pan 2008). A step of 0 is that of a last pixel.
inline float length_at(global const float *slices, const ulong i, const ulong *steps) {
    float squares = 1e-8f;
#pragma unroll
    for (uint d = 0; d < DIMENSIONS; d++) {
        const float difference = slices[i + steps[d]] - slices[i];
        squares += difference * difference;
    }
    return sqrt(squares);
}

inline float variation_gradient_at(global const float *slices, const ulong i, const ulong *steps, const Line *line,
                                   const bool *is_first) {
    const float own = length_at(slices, i, steps);
    float sum = 0.0f;
#pragma unroll
    for (uint d = 0; d < DIMENSIONS; d++) {
        sum -= (slices[i + steps[d]] - slices[i]) / own;
        if (!is_first[d]) {
            const ulong last = i - line->step[d];
            ulong of_last[3] = {steps[0], steps[1], steps[2]}; // only its own direction leads to this pixel
            of_last[d] = line->step[d];
            sum += (slices[i] - slices[last]) / length_at(slices, last, of_last);
        }
    }
    return sum;
}

kernel void variation_gradient(global const float *restrict slices, global float *restrict gradient, SHAPE) {
    const Line line = line_at(width, height, depth, neighbours);
    const ulong below = line.y == height - 1 ? 0 : line.step[1], behind = line.z == neighbours - 1 ? 0 : line.step[2];
    const ulong inside[3] = {1, below, behind}, at_end[3] = {0, below, behind};
    const bool is_first[3] = {false, line.y == 0, line.z == 0}, is_begin[3] = {true, line.y == 0, line.z == 0};
    FOR_PIXELS_OF(line) {
        const ulong i = line.begin + x;
        // Those between the ends of a row are alike.
        if (x > 0 && x < width - 1)
            gradient[i] = variation_gradient_at(slices, i, inside, &line, is_first);
        else
            gradient[i] = variation_gradient_at(slices, i, x == width - 1 ? at_end : inside, &line, x == 0 ? is_begin : is_first);
    }
}
