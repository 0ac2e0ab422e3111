// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/steps.hpp>
#include <gst/tomo/device/device-array.hpp>

namespace tomo {

class Device;

// Corrects slices by one view after another, where a projection and a backprojection for each view would cost
// far more than one of all views: x += relaxation A*((b - A x) / A 1) / A* 1 with A of a view, then bounds.
class GST_TOMO_API ViewSweep {
  public:
    struct Correction {
        float relaxation, minimum, maximum;
        const Array &done; // uint32, of each volume: whether it stays as it is
        unsigned planes;   // of a volume
        const Array &mask; // as packed() gives it; none for no mask
    };

    // Bytes that run() holds with a packed mask, and those of its largest array.
    struct Memory {
        std::uint64_t all, largest;
    };
    // Of projections of this width and height and slices of this shape.
    using MemoryOf = Memory (*)(const Device &device, const ArrayInfo &projections, const ArrayInfo &slices,
                                bool has_mask);

    virtual ~ViewSweep();

    // The mask for run(), in the shape of the slices and 0 where they stay as they are.
    virtual Array packed(const Array &mask) = 0;

    // All views once. `measured` has them in the projector's order. Gives parts of |b - A x|^2 of each plane
    // of x, with the x that each view met: (any number, 1, planes).
    virtual Array run(const Array &measured, Array &x, const Correction &correction, Steps &steps) = 0;
};

} // namespace tomo
