// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Options: PIXELS along a row that a work-item makes, 1 or 16 for lanes of a CPU; LINE, where each projection sees all pixels of a row at one height
// of the detector; with WHOLE_ROW, too, that is the middle of a row of the detector for all rows; with LONGEST instead, a work-item makes a whole row,
// of which neither the pixels nor the columns of the detector with zeros around are more than that; with GROUP, too, a work-group of so many
// work-items makes EACH pixels of a row per item.

#if PIXELS == 1
typedef float lanes;
typedef int lane_numbers;
#define TO_NUMBERS convert_int_rtn
#define TO_LANES convert_float
#define NUMBERS 0.0f
#define KEEP(value, memory) (memory)[0] = (value)
#define FETCH(memory) (memory)[0]
#else
typedef float16 lanes;
typedef int16 lane_numbers;
#define TO_NUMBERS convert_int16_rtn
#define TO_LANES convert_float16
#define NUMBERS (float16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define KEEP(value, memory) vstore16(value, 0, memory)
#define FETCH(memory) vload16(0, memory)
#endif

// How a projection sees the plane. Pixel (i, j) is seen at column column.x + i column.y + j column.z and at the row alike, counted from the
// middles of the detector's pixels. column.w is the weight.
typedef struct {
    float4 column, row;
} View;

#define AT_BLOCK(i) TOMO_JOIN(tomo_load_, block_T)(block_base, i)

// Linear along the rows that begin at `starts`, or all at starts[0].
inline lanes along(global const block_T *restrict block_base, const int *columns, const ulong start, const int *starts,
                   const lanes fraction) {
    float left[PIXELS], right[PIXELS];
#pragma unroll
    for (int n = 0; n < PIXELS; n++) {
        const ulong at = start + (starts ? starts[n] : 0) + columns[n];
        left[n] = AT_BLOCK(at);
        right[n] = AT_BLOCK(at + 1);
    }
    const lanes first = FETCH(left), second = FETCH(right);
    return first + (second - first) * fraction;
}

// The share of `count` projections of a block, from `first` on, whose views begin at `table`. Planes of the block are projections of width x
// height with zeros around: one column and row before, two behind. A work-item makes PIXELS of a row.
kernel void live_slice(IN(block), global const View *restrict views, OUT(float, out), const uint first, const uint count,
                       const uint table, const int width, const int height, const uint out_width, const uint begins) {
    const uint i = get_global_id(0) * PIXELS, j = get_global_id(1);
    const lanes across = (float)i + NUMBERS;
    const float down = (float)j;
    const int pitch = width + 3;
    lanes sum = 0.0f;
    for (uint k = 0; k < count; k++) {
        const View view = views[table + k];
        const ulong plane = block_at + (ulong)(first + k) * pitch * (height + 3);
        const lanes x = clamp(fma(across, (lanes)view.column.y, (lanes)fma(down, view.column.z, view.column.x)), (lanes)(-1.0f), (lanes)width);
        const lane_numbers x_whole = TO_NUMBERS(x);
        const lanes x_fraction = x - TO_LANES(x_whole);
        int columns[PIXELS];
        KEEP(x_whole + 1, columns);
#ifdef LINE
        const float y = clamp(fma(down, view.row.z, view.row.x), -1.0f, (float)height);
        const int y_whole = convert_int_rtn(y);
        const ulong row = plane + (ulong)(y_whole + 1) * pitch;
        const lanes upper = along(block_base, columns, row, 0, x_fraction);
#ifdef WHOLE_ROW
        const lanes value = upper;
#else
        const lanes lower = along(block_base, columns, row + pitch, 0, x_fraction);
        const lanes value = upper + (lower - upper) * (y - (float)y_whole);
#endif
#else
        const lanes y = clamp(fma(across, (lanes)view.row.y, (lanes)fma(down, view.row.z, view.row.x)), (lanes)(-1.0f), (lanes)height);
        const lane_numbers y_whole = TO_NUMBERS(y);
        const lanes y_fraction = y - TO_LANES(y_whole);
        int rows[PIXELS];
        KEEP((y_whole + 1) * pitch, rows);
        const lanes upper = along(block_base, columns, plane, rows, x_fraction);
        const lanes lower = along(block_base, columns, plane + pitch, rows, x_fraction);
        const lanes value = upper + (lower - upper) * y_fraction;
#endif
        sum = fma((lanes)view.column.w, value, sum);
    }
    const size_t at = (size_t)j * out_width + i;
#if PIXELS == 1
    AT(out, at) = begins ? sum : AT(out, at) + sum;
#else
    float sums[PIXELS];
    KEEP(sum, sums);
    const int pixels = min(out_width - i, (uint)PIXELS);
    for (int n = 0; n < pixels; n++)
        AT(out, at + n) = begins ? sums[n] : AT(out, at + n) + sums[n];
#endif
}

#ifdef LONGEST
// As live_slice. Both rows of the detector are mixed before pixels are taken of them: they are read once, in order, and half as many samples are.
kernel void live_slice_row(IN(block), global const View *restrict views, OUT(float, out), const uint first, const uint count,
                           const uint table, const int width, const int height, const uint out_width, const uint begins) {
    const float down = (float)get_global_id(0);
    const int pitch = width + 3;
    float mixed[LONGEST + PIXELS], sums[LONGEST + PIXELS];
    for (uint i = 0; i < out_width; i++)
        sums[i] = 0.0f;
    for (uint k = 0; k < count; k++) {
        const View view = views[table + k];
        const float y = clamp(fma(down, view.row.z, view.row.x), -1.0f, (float)height);
        const int y_whole = convert_int_rtn(y);
        const float y_fraction = y - (float)y_whole;
        const ulong upper = block_at + ((ulong)(first + k) * (height + 3) + y_whole + 1) * pitch, lower = upper + pitch;
        const float start = fma(down, view.column.z, view.column.x), end = fma((float)(out_width - 1), view.column.y, start);
        const int low = max(convert_int_rtn(clamp(fmin(start, end), -1.0f, (float)width)), 0);
        const int high = min(convert_int_rtn(clamp(fmax(start, end), -1.0f, (float)width)) + 4, pitch);
        for (int c = low; c < high; c++) {
            const float above = AT_BLOCK(upper + c);
            mixed[c] = fma(AT_BLOCK(lower + c) - above, y_fraction, above);
        }
        for (uint i = 0; i < out_width; i += PIXELS) {
            const lanes x = clamp(fma((float)i + NUMBERS, (lanes)view.column.y, (lanes)start), (lanes)(-1.0f), (lanes)width);
            const lane_numbers whole = TO_NUMBERS(x);
            int columns[PIXELS];
            KEEP(min(max(whole + 1, (lane_numbers)low), (lane_numbers)(high - 2)), columns);
            float left[PIXELS], right[PIXELS];
#pragma unroll
            for (int n = 0; n < PIXELS; n++) {
                left[n] = mixed[columns[n]];
                right[n] = mixed[columns[n] + 1];
            }
            const lanes here = FETCH(left), next = FETCH(right);
            KEEP(fma((lanes)view.column.w, here + (next - here) * (x - TO_LANES(whole)), FETCH(sums + i)), sums + i);
        }
    }
    const size_t at = (size_t)get_global_id(0) * out_width;
    for (uint i = 0; i < out_width; i++)
        AT(out, at + i) = begins ? sums[i] : AT(out, at + i) + sums[i];
}
#endif

#ifdef GROUP
// As live_slice_row, by work-groups: both rows of the detector are mixed into local memory, where all pixels find their samples. It has room for
// twice the columns of the detector with zeros around, so that a work-group waits once for each projection.
kernel void live_slice_group(IN(block), global const View *restrict views, OUT(float, out), const uint first, const uint count,
                             const uint table, const int width, const int height, const uint out_width, const uint begins,
                             local float *mixed) {
    const uint item = get_local_id(0), j = get_global_id(1), begin = get_group_id(0) * (GROUP * EACH);
    const float down = (float)j, left_end = (float)begin, right_end = (float)min(begin + GROUP * EACH, out_width) - 1.0f;
    const int pitch = width + 3;
    float sums[EACH];
#pragma unroll
    for (uint n = 0; n < EACH; n++)
        sums[n] = 0.0f;
    for (uint k = 0; k < count; k++) {
        const View view = views[table + k];
        const float y = clamp(fma(down, view.row.z, view.row.x), -1.0f, (float)height);
        const int y_whole = convert_int_rtn(y);
        const float y_fraction = y - (float)y_whole;
        const float start = fma(down, view.column.z, view.column.x), from = fma(left_end, view.column.y, start),
                    to = fma(right_end, view.column.y, start);
        const int low = max(convert_int_rtn(clamp(fmin(from, to), -1.0f, (float)width)), 0);
        const int high = min(convert_int_rtn(clamp(fmax(from, to), -1.0f, (float)width)) + 4, pitch);
        const ulong upper = block_at + ((ulong)(first + k) * (height + 3) + y_whole + 1) * pitch;
        local float *row = mixed + (k & 1) * pitch;
        for (int c = low + item; c < high; c += GROUP) {
            const float above = AT_BLOCK(upper + c);
            row[c] = y_fraction == 0.0f ? above : fma(AT_BLOCK(upper + pitch + c) - above, y_fraction, above);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
        for (uint n = 0; n < EACH; n++) {
            const float x = clamp(fma((float)(begin + item + n * GROUP), view.column.y, start), -1.0f, (float)width);
            const int whole = convert_int_rtn(x), column = clamp(whole + 1, low, high - 2);
            const float here = row[column];
            sums[n] = fma(view.column.w, fma(row[column + 1] - here, x - (float)whole, here), sums[n]);
        }
    }
    const size_t at = (size_t)j * out_width;
#pragma unroll
    for (uint n = 0; n < EACH; n++) {
        const uint i = begin + item + n * GROUP;
        if (i < out_width)
            AT(out, at + i) = begins ? sums[n] : AT(out, at + i) + sums[n];
    }
}
#endif
