// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/geometry/scan.hpp>

#include <optional>

namespace tomo {

// The part of a slice that is computed. The whole slice has as many columns and rows as the detector has
// columns, with pixels of their size.
struct SliceRegion {
    unsigned x = 0, y = 0;
    unsigned width, height;

    SliceRegion(unsigned x, unsigned y, std::optional<unsigned> width, std::optional<unsigned> height,
                unsigned columns)
        : x(x), y(y), width(width.value_or(columns)), height(height.value_or(columns)) {}
    bool begins_at_corner() const { return x == 0 && y == 0; }
};

// The scan of slices of this region, made from sinograms of shape `in` with the axis at this edge coordinate,
// which lies at `axis_in_slice` in the whole slice.
GST_TOMO_API Scan scan_of_slices(Scan scan, const ArrayInfo &in, double axis, double axis_in_slice,
                                 const SliceRegion &region);

} // namespace tomo
