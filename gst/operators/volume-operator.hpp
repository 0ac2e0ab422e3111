// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/geometry/volume-grid.hpp>

#include <vector>

namespace tomo {

// A projection's geometry and the factor of its samples in filtered backprojection.
struct WeightedView {
    ViewGeometry geometry;
    double weight;
};

// Makes slices of a volume from projections, which come one after the other.
class GST_TOMO_API VolumeOperator {
  public:
    virtual ~VolumeOperator();

    // Slices of this shape that find place on the device now, beside `projections` of that shape where the
    // operator keeps them, and beside arrays that come and go. 0 where there is no place for one. Throws
    // Error where slices can't be made a part of them at a time, and `slices` find no place.
    virtual unsigned planes_that_fit(const ArrayInfo &projection, unsigned projections,
                                     const ArrayInfo &slice, unsigned slices) const = 0;
    // Begins slices of this volume. `projections` come, if none is left out. `is_per_plane`: each plane has
    // views of its own. Throws Error where a kernel can't be made.
    virtual void begin(const ArrayInfo &projection, unsigned projections, const VolumeGrid &volume,
                       bool is_per_plane) = 0;
    // Adds a projection of one plane, in any real format. One view, or one for each plane.
    virtual void add(const Array &projection, const std::vector<WeightedView> &views) = 0;

    // Integers: `minimum` becomes 0, and one of them stands for 1 / scale.
    struct Greys {
        double minimum = 0.0, scale = 1.0;
    };
    // Copies slices from `first` on, as many as `out` has planes, in the format of `out`. Called after the
    // last projection.
    virtual void copy_slices(unsigned first, Array &out, const Greys &greys) = 0;
};

} // namespace tomo
