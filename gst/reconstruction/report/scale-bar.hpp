// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace tomo::reconstruction {

// A bar of a round length, 1, 2 or 5 times a power of ten, which is about a quarter of a picture's width.
struct ScaleBar {
    double share;      // of the picture's width
    std::string label; // its length with unit

    // `pixels` wide, each `pixel_size` metres; NaN: not known, and the bar is in pixels.
    ScaleBar(double pixels, double pixel_size);
};

} // namespace tomo::reconstruction
