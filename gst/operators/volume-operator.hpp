// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/device-array.hpp>
#include <gst/tomo/geometry/volume-grid.hpp>

#include <functional>
#include <vector>

namespace tomo {

// A projection's geometry and the factor of its samples in filtered backprojection.
struct WeightedView {
    ViewGeometry geometry;
    double weight;
};

// Rows of a detector.
struct DetectorRows {
    unsigned first = 0, count = 0;
};

// Planes of a volume that are made by themselves, with the bits that they have among all others.
struct VolumePart {
    VolumeGrid volume; // the whole of it
    unsigned first = 0, planes = 0;
    bool is_per_plane = false;  // each plane has views of its own
    unsigned detector_rows = 0; // of the whole detector
    unsigned first_row = 0;     // of it that projections have
    // The rows that see so many planes from the first one on, in any projection, with two around. Null: all.
    std::function<DetectorRows(unsigned first, unsigned planes)> seen = {};

    VolumePart sub(unsigned from, unsigned count) const {
        VolumePart part = *this;
        part.first = from;
        part.planes = count;
        return part;
    }
    // Those of a projection of so many rows that see the planes.
    DetectorRows rows(unsigned height) const {
        return seen ? seen(first, planes) : DetectorRows{first_row, height};
    }
};

// Makes slices of a volume from projections, which come one after the other.
class GST_TOMO_API VolumeOperator {
  public:
    virtual ~VolumeOperator();

    // Whether the slices of a part find place on the device now, beside `projections` of that shape where the
    // operator keeps them, beside arrays that come and go, and beside `out`, slices that are copied at a
    // time. Throws Error where they do not and can't be made a part of them at a time.
    virtual bool fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
                      const ArrayInfo &out) const = 0;
    // Begins slices of this part. `projections` come, if none is left out. Throws Error where a kernel can't
    // be made.
    virtual void begin(const ArrayInfo &projection, unsigned projections, const VolumePart &part) = 0;
    // Adds a projection of one plane, in any real format. One view, or one for each plane of the part.
    virtual void add(const Array &projection, const std::vector<WeightedView> &views) = 0;

    // Integers: `minimum` becomes 0, and one of them stands for 1 / scale.
    struct Greys {
        double minimum = 0.0, scale = 1.0;
    };
    // Copies slices from `first` of the part on, as many as `out` has planes, in the format of `out`. Called
    // after the last projection.
    virtual void copy_slices(unsigned first, Array &out, const Greys &greys) = 0;
};

} // namespace tomo
