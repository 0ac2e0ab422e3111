// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/device-array.hpp>

namespace tomo {

// A linear operator A from a volume to its projections, and its transpose A*. Iterative methods see nothing
// else of a geometry.
//
// Both are one pair: <A x, y> = <x, A* y> for all x and y, to the rounding of float32. The backprojection of
// tomobackproject is no such pair with a projection: see ParallelBackprojector.
class GST_TOMO_API Projector {
  public:
    virtual ~Projector();

    // Shapes for that many slices, which are independent of each other where the geometry lets them be.
    virtual ArrayInfo volume(unsigned slices) const = 0;
    virtual ArrayInfo projections(unsigned slices) const = 0;

    // projections = A volume. Any real format goes in, float32 comes out.
    virtual void forward(const Array &volume, Array &projections) = 0;
    // volume = A* projections.
    virtual void back(const Array &projections, Array &volume) = 0;
};

} // namespace tomo
