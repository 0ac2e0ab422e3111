// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/projector.hpp>
#include <gst/tomo/compute/compute.hpp>
#include <gst/tomo/geometry/volume-grid.hpp>

#include <vector>

namespace tomo {

// Line integrals of a volume as projections (columns x rows x views) in any geometry, by Joseph's method in
// three dimensions, and their transpose. The volume is zero outside of its voxels. Lengths are in the unit of
// ViewGeometry's points, so that the projection of ones is the length of rays in the volume.
class GST_TOMO_API GeneralProjector final : public Projector {
  public:
    // Throws Error for a geometry that can't be computed.
    GeneralProjector(Compute &compute, const std::vector<ViewGeometry> &views, unsigned columns,
                     unsigned rows, const VolumeGrid &grid);

    // All slices make one volume: `slices` must be their number.
    ArrayInfo volume(unsigned) const override {
        return {GST_TOMO_FORMAT_FLOAT32, grid_.x.count, grid_.y.count, grid_.z.count};
    }
    ArrayInfo projections(unsigned) const override {
        return {GST_TOMO_FORMAT_FLOAT32, columns_, rows_, views_};
    }
    void forward(const Array &volume, Array &projections) override;
    void back(const Array &projections, Array &volume) override;

    // Projections of views from `first` on, as many as there are planes.
    void forward(const Array &volume, unsigned first, Array &projections);

  private:
    Kernel kernel(const char *function);
    unsigned views_at_a_time(double steps_of_view) const;

    Compute &compute_;
    const VolumeGrid grid_;
    const unsigned columns_, rows_, views_;
    Array geometry_;
    bool has_mixed_ = false;    // views whose rays have several driving axes
    bool needs_turned_ = false; // rays that are driven along x
};

} // namespace tomo
