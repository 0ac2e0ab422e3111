// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The views of a parallel beam that a sinogram holds.
#pragma once

#include <gst/tomo/geometry/axis.hpp>
#include <gst/tomo/geometry/view-angles.hpp>
#include <gst/tomo/geometry/view-weights.hpp>

namespace tomo {

// Properties that describe the views of a sinogram. Values that are not set come from the scan or are
// assumed.
struct GivenViews {
    std::optional<double> step;     // radians
    double offset = 0.0;            // radians, added to all angles
    std::optional<unsigned> number; // of views of the whole scan
    unsigned first = 0;             // number of the sinogram's first view in the scan

    bool operator==(const GivenViews &) const = default;
};

// The views of a sinogram, which may be a part of the views of the scan: each keeps its weight in the whole
// scan.
struct ParallelViews {
    ViewAngles scan;
    std::string warning; // about angles that can't be right or do not cover half a turn; else empty
    double covered;      // radians of the half turn that the views cover
    std::vector<double> angles, weights; // one for each row of the sinogram
};

// The views of a sinogram with `rows` rows. Throws Error where the numbers do not fit, or where no slice can
// be made from the angles.
GST_TOMO_API ParallelViews resolve_views(const GivenViews &given, const Scan &scan, unsigned rows);

} // namespace tomo
