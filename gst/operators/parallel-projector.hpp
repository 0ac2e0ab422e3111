// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/parallel-backprojector.hpp>
#include <gst/operators/projector.hpp>
#include <gst/tomo/geometry/slice-region.hpp>

#include <optional>
#include <vector>

namespace tomo {

// Detector columns that see slices along parallel rays.
struct ParallelBeam {
    std::vector<double> angles; // radians, one for each view
    double axis;                // edge coordinate of the columns
    unsigned columns;
    std::optional<double> axis_in_slice = {}; // likewise, where it lies elsewhere there

    // Throws Error for a geometry that can't be computed.
    void check(const SliceRegion &slice) const;

    // Bounds of the axis and of all edges.
    static constexpr double most_pixels = 1e6;
};

// Line integrals of slices (width x height x slices) as sinograms (columns x views x slices), by Joseph's
// method, and their transpose. Each slice is a detector row of its own, and zero outside of its region.
// Lengths are in pixels: the projection of a disc of ones is the length of its chords.
class GST_TOMO_API ParallelProjector final : public Projector {
  public:
    // Throws Error for a geometry that can't be computed. Fewer slices have the bits that they have among
    // `at_once`.
    ParallelProjector(Compute &compute, ParallelBeam beam, const SliceRegion &slice, unsigned at_once = 1);

    ArrayInfo volume(unsigned slices) const override {
        return {GST_TOMO_FORMAT_FLOAT32, slice_.width, slice_.height, slices};
    }
    ArrayInfo projections(unsigned slices) const override {
        return {GST_TOMO_FORMAT_FLOAT32, beam_.columns, static_cast<unsigned>(beam_.angles.size()), slices};
    }
    void forward(const Array &volume, Array &projections) override;
    void back(const Array &projections, Array &volume) override;
    std::unique_ptr<ViewSweep> sweep(std::vector<unsigned> order) override;
    static ViewSweep::Memory sweep_memory(const Device &device, const ArrayInfo &projections,
                                          const ArrayInfo &slices, bool has_mask);

  private:
    std::vector<BackprojectRow> rows() const;
    void project_rays(const Array &volume, Array &projections);
    void project_stack(const Array &volume, Array &projections, unsigned stack_width);
    void project_lanes(const Array &volume, Array &projections, unsigned lanes);

    Compute &compute_;
    const ParallelBeam beam_;
    const SliceRegion slice_;
    Array rays_;
    ParallelBackprojector transpose_;
    const unsigned at_once_;
    unsigned planned_slices_ = 0; // of transpose_
};

} // namespace tomo
