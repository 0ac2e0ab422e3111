// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// One work-item for each of `samples`; groups are of one size, because some drivers compile kernels for each.
#define SAMPLE                                                                                                          \
    const ulong i = get_global_id(0);                                                                                   \
    if (i >= samples)                                                                                                   \
    return

// Which pixels are to be filled, and whether these are others than before.
kernel void mark_gaps(const ulong samples, IN(images),
#ifdef MASKED
                      IN(masks), const ulong mask_samples,
#endif
                      global uchar *marks, global uint *is_changed) {
    SAMPLE;
    uchar mark = !isfinite(LOAD(images, i));
#ifdef MASKED
    mark = mark || LOAD(masks, i % mask_samples) != 0.0f;
#endif
    if (marks[i] != mark) {
        marks[i] = mark;
        *is_changed = 1;
    }
}

kernel void copy_images(const ulong samples, IN(images), OUT(float, out)) {
    SAMPLE;
    AT(out, i) = LOAD(images, i);
}

#ifdef GUIDED
kernel void subtract_guidance(const ulong samples, IN(images), IN(guidance), const ulong guidance_samples, OUT(float, out)) {
    SAMPLE;
    AT(out, i) = LOAD(images, i) - LOAD(guidance, i % guidance_samples);
}

kernel void add_guidance(const ulong samples, IN(images), IN(guidance), const ulong guidance_samples, global const uchar *marks,
                         OUT(float, out)) {
    SAMPLE;
    AT(out, i) = marks[i] ? AT(out, i) + LOAD(guidance, i % guidance_samples) : LOAD(images, i);
}
#endif
