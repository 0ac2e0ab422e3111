// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pixels that are connected form a tree: `forest` holds for each pixel the index of another one of its tree in the same
// plane, its own at the root, and never a larger one than its own. So trees can be joined in any order and by all
// work items at once: of two roots the larger becomes a child of the smaller.

#define READ(type, name) global const type *restrict name##_base, const ulong name##_at
#define FOREST global uint *restrict forest_base, const ulong forest_at

#define PIXEL                                                                                                \
    const uint x = get_global_id(0), y = get_global_id(1), z = get_global_id(2);                             \
    const uint width = get_global_size(0), height = get_global_size(1);                                      \
    const uint i = y * width + x;                                                                            \
    const ulong plane = tomo_index(0, 0, z, width, height);                                                  \
    volatile global uint *trees = forest_base + forest_at + plane

static uint root(volatile global uint *trees, uint i) {
    for (;;) {
        const uint parent = trees[i];
        if (parent == i)
            return i;
        const uint next = trees[parent];
        if (next != parent)
            trees[i] = next; // a shorter way for those who come later
        i = parent;
    }
}

static void join(volatile global uint *trees, uint a, uint b) {
    for (;;) {
        a = root(trees, a);
        b = root(trees, b);
        if (a == b)
            return;
        const uint child = max(a, b), parent = min(a, b);
        const uint before = atomic_min(&trees[child], parent);
        if (before == child)
            return;
        // Somebody else was faster, so the child has a parent already: that one is to be joined instead.
        a = before;
        b = parent;
    }
}

kernel void plant(FOREST, OUT(uint, marks)) {
    PIXEL;
    trees[i] = i;
    AT(marks, plane + i) = 0;
}

// Pixels of the image, which has a margin of one pixel.
#define VALUE(dx, dy) AT(image, tomo_index(x + 1 + (dx), y + 1 + (dy), z, width + 2, height + 2))

// `around`: what lies beyond an edge is the opposite one.
kernel void connect_steep(FOREST, READ(float, image), READ(float, noise), const float threshold, const int around) {
    PIXEL;
    const float steep = threshold > 0.0f ? threshold : 4.29f * AT(noise, z);
    const float value = VALUE(0, 0);
    if ((x + 1 < width || around) && fabs(value - VALUE(1, 0)) > steep)
        join(trees, i, x + 1 < width ? i + 1 : i - x);
    if ((y + 1 < height || around) && fabs(value - VALUE(0, 1)) > steep)
        join(trees, i, y + 1 < height ? i + width : x);
}

kernel void mark_seeds(FOREST, READ(float, image), OUT(uint, marks), const float threshold, const int sign) {
    PIXEL;
    const float value = VALUE(0, 0);
    if (isnan(value) || (sign ? sign * (value - threshold) > 0.0f : fabs(value) > threshold))
        AT(marks, plane + root(trees, i)) = 1;
}

kernel void take_marked(FOREST, READ(uint, marks), OUT(float, out)) {
    PIXEL;
    AT(out, plane + i) = AT(marks, plane + root(trees, i)) ? 1.0f : 0.0f;
}

kernel void connect_gaps(FOREST, READ(float, mask)) {
    PIXEL;
    if (AT(mask, plane + i) != 0.0f)
        return;
    if (x + 1 < width && AT(mask, plane + i + 1) == 0.0f)
        join(trees, i, i + 1);
    if (y + 1 < height && AT(mask, plane + i + width) == 0.0f)
        join(trees, i, i + width);
}

kernel void mark_border(FOREST, READ(float, mask), OUT(uint, marks)) {
    PIXEL;
    if ((x == 0 || y == 0 || x + 1 == width || y + 1 == height) && AT(mask, plane + i) == 0.0f)
        AT(marks, plane + root(trees, i)) = 1;
}

// Also the spots, whose trees touch no border that counts.
kernel void fill_unmarked(FOREST, READ(uint, marks), OUT(float, out)) {
    PIXEL;
    AT(out, plane + i) = AT(marks, plane + root(trees, i)) ? 0.0f : 1.0f;
}
