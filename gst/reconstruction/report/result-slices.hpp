// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Slices through the middle of a result, read from its files. Of a large one every n-th sample is taken, or
// the means of its pyramid, so that this takes no more than a moment.
#pragma once

#include <gst/reconstruction/middle-row.hpp>

namespace tomo::reconstruction {

struct ResultSlice {
    Picture picture;
    const char *across, *down; // axes of the volume: x, y or z
    unsigned number = 0;       // of the slice along the third axis
    unsigned step_across = 1, step_down = 1;
    unsigned factor = 1; // each sample is the mean of so many along each axis, and steps count these means
    unsigned width = 0, height = 0; // before samples were left out
};

// Slices normal to z, y and x; the latter two only if there is more than one image. Throws Error if the
// result can't be read.
std::vector<ResultSlice> middle_slices(const Plan &plan, const Middle &middle);

// One image of the result, with all of its samples, and the one in the middle of those that are there.
Picture slice_of(const Plan &plan, unsigned image);
Picture middle_slice(const Plan &plan, const Middle &middle);

} // namespace tomo::reconstruction
