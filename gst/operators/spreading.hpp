// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/gsttomo-prelude.h>

namespace tomo {

// How samples are spread over the points of a grid: each over `width` x `width` of them, of a grid that has
// at least `oversampling` points for each pixel, by the function of Kaiser and Bessel with the parameter
// `beta`.
struct Spreading {
    double oversampling;
    unsigned width;
    double beta;

    // The cheapest one whose error is below this share (L2 norm) of slices of white noise.
    GST_TOMO_API static Spreading of_tolerance(double tolerance);
    // Of the function, at `x` cycles per point.
    double transform(double x) const;
    // Of the function, in the middle.
    double factor() const;

    static constexpr double best = 1e-5, worst = 1e-2; // tolerances
};

} // namespace tomo
