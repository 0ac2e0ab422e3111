// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Slices that iterations take beside projections: those that they begin with, and a mask.
#pragma once

#include <gst/reconstruction/settings.hpp>

#include <string>

namespace tomo::reconstruction {

// Slices as iterations make them, and the images of the result among them.
struct MadeSlices {
    std::string element;          // name of the one that iterates
    unsigned columns, rows;       // of a slice
    unsigned x, y, width, height; // of the result in it
    unsigned images;              // of the result, or of one of its turns
    // Images that all rows of the scan would make, and which of them the result has: the first one and each
    // step-th one behind. 0: the heights do not come from rows.
    unsigned of_scan = 0, first = 0, step = 1;
};

bool takes_given_slices(const Settings &settings);

// Throws Error where files that are given do not fit.
void check_given_slices(const Settings &settings, const MadeSlices &made);

// Launch lines, each with a blank behind it, from these files to the inputs of the element, for images of the
// result from `first` on. Only these are read.
std::string given_slices_lines(const Settings &settings, const MadeSlices &made, unsigned first,
                               unsigned count);

} // namespace tomo::reconstruction
