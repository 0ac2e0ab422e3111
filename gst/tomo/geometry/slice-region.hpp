// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/geometry/scan.hpp>

#include <optional>

namespace tomo {

// Which pixels of a slice are computed. The whole slice is as wide and as high as the detector has columns;
// pixels are as large as these.
struct SliceRegion {
    unsigned x = 0, y = 0;
    unsigned width, height;

    SliceRegion(unsigned x, unsigned y, std::optional<unsigned> width, std::optional<unsigned> height,
                unsigned columns)
        : x(x), y(y), width(width.value_or(columns)), height(height.value_or(columns)) {}
    bool begins_at_corner() const { return x == 0 && y == 0; }
};

// The scan as slices of the region show it, which are made from sinograms of shape `in` with the axis there.
GST_TOMO_API Scan scan_of_slices(Scan scan, const ArrayInfo &in, double axis, const SliceRegion &region);

} // namespace tomo
