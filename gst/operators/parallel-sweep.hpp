// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Private to ParallelProjector.
#pragma once

#include <gst/operators/parallel-projector.hpp>
#include <gst/operators/view-sweep.hpp>

namespace tomo {

// A view takes two launches, see kernels/sweep.h.
class ParallelSweep final : public ViewSweep {
  public:
    // Views in this order. `rays` is the table of the projection, `rows` that of its transpose, and `sums`
    // the projection of ones.
    ParallelSweep(Compute &compute, std::vector<unsigned> order, Array rays, Array rows, Array sums);

    static Memory memory(const Device &device, const ArrayInfo &projections, const ArrayInfo &slices,
                         bool has_mask);

    Array packed(const Array &mask) override;
    Array run(const Array &measured, Array &x, const Correction &correction, Steps &steps) override;

  private:
    Kernel kernel(const char *name, unsigned depth, bool is_masked) const;
    // `is_masked` chooses a program that is there already.
    void pack(const Array &slices, Array &sets, bool is_masked) const;

    Compute &compute_;
    const std::vector<unsigned> order_;
    const Array rays_, rows_, sums_;
};

} // namespace tomo
