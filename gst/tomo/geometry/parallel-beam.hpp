// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The views of a parallel beam that a sinogram holds.
#pragma once

#include <gst/tomo/geometry/axis.hpp>
#include <gst/tomo/geometry/view-angles.hpp>
#include <gst/tomo/geometry/view-weights.hpp>

namespace tomo {

// What people may say about the views of a sinogram. Not given: the scan says it, or it is assumed.
struct GivenViews {
    std::optional<double> step;     // radians
    double offset = 0.0;            // radians that all are turned by
    std::optional<unsigned> number; // of the whole scan
    unsigned first = 0;             // of the sinogram, among them

    bool operator==(const GivenViews &) const = default;
};

// The views of a sinogram, which may be a part of those of the scan: weights are those of the whole.
struct ParallelViews {
    ViewAngles scan;
    std::string warning;                 // of angles that can't be right, or leave something out
    double covered;                      // radians of the half turn
    std::vector<double> angles, weights; // of the sinogram's rows
};

// Of a sinogram with `rows` rows. Throws Error where they do not fit, or where no slice comes of the angles.
GST_TOMO_API ParallelViews resolve_views(const GivenViews &given, const Scan &scan, unsigned rows);

} // namespace tomo
