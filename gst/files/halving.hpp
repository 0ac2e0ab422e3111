// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomoarray.h>

#include <cstddef>
#include <cstdint>

// The levels of a pyramid: each has half the samples of the one before along each axis.
namespace tomo::io {

// A part of a volume in memory. Steps are in samples.
template <class Pointer>
struct Box {
    Pointer samples;
    std::size_t step_of_image, step_of_row;
    unsigned images, rows, columns;
};

// Half of a length, where one sample more counts as well.
template <class Integer>
constexpr Integer half_of(Integer length) {
    return length / 2 + length % 2;
}

// Rows and columns of the smallest level; an even smaller one helps no viewer.
constexpr unsigned smallest_level = 64;

// Each sample of `to` is the mean of 2 x 2 x 2 samples of `from`; at the end of an odd axis, of those that
// are there. NaN counts as a sample that is not there, unless there are no others. Means of integers are
// rounded, halves upwards. Takes images, rows and columns of `from`; those of `to` do not count.
void halve(GstTomoFormat format, const Box<const void *> &from, const Box<void *> &to);

// The same for two images without gaps, of which the second one may be missing (null), to one image.
void halve_images(GstTomoFormat format, const void *first, const void *second, unsigned rows,
                  unsigned columns, void *to);

} // namespace tomo::io
