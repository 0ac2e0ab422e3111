// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/geometry/arrangement.hpp>

#include <vector>

namespace tomo {

// The middles of a volume's voxels: points at equal steps along each axis, in the coordinates of
// ViewGeometry.
struct VolumeGrid {
    struct Axis {
        double from = 0.0, step = 1.0; // a negative step mirrors
        unsigned count = 1;
        double at(double i) const { return from + i * step; }
    };
    Axis x, y, z;

    Vector3 at(double i, double j, double k) const { return {x.at(i), y.at(j), z.at(k)}; }
    // A form as one of the numbers (i, j, k) of a voxel.
    ViewGeometry::Form in_voxels(const ViewGeometry::Form &form) const {
        const Vector3 &f = form.factors;
        return {{f.x * x.step, f.y * y.step, f.z * z.step}, form.at({x.from, y.from, z.from})};
    }
    // The planes from `first` on.
    VolumeGrid planes(unsigned first, unsigned count) const {
        VolumeGrid part = *this;
        part.z.from = z.at(first);
        part.z.count = count;
        return part;
    }
};

// A region from, to, step as an axis; `usual` where it is empty or the step is 0. Throws Error, which names
// it as `name`, for one that can't be.
GST_TOMO_API VolumeGrid::Axis axis_of_region(const char *name, const std::vector<double> &region,
                                             const VolumeGrid::Axis &usual);

} // namespace tomo
