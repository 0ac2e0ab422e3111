// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/projector.hpp>
#include <gst/operators/view-quads.hpp>
#include <gst/tomo/compute/compute.hpp>
#include <gst/tomo/geometry/volume-grid.hpp>

#include <vector>

namespace tomo {

// Line integrals of a volume as projections (columns x rows x views) in any geometry, by Joseph's method in
// three dimensions, and their transpose. The volume is zero outside of its voxels. Lengths are in the unit of
// ViewGeometry's points, so that the projection of ones is the length of rays in the volume.
class GST_TOMO_API GeneralProjector final : public Projector {
  public:
    // `memory`: bytes that copies of the volume may take, of which those with turned ones make some faster.
    // Results depend on it by rounding. Throws Error for a geometry that can't be computed.
    GeneralProjector(Compute &compute, const std::vector<ViewGeometry> &views, unsigned columns,
                     unsigned rows, const VolumeGrid &grid, std::uint64_t memory = G_MAXUINT64);

    // All slices together are one volume, and all rows of a view one view: to iterative methods they are a
    // slice of x by y z pixels and a sinogram of columns by rows pixels for each view.
    ArrayInfo volume(unsigned slices = 1) const override;
    ArrayInfo projections(unsigned slices = 1) const override;
    // Arrays may have these shapes or (x, y, z) and (columns, rows, views).
    // Throws Flushing where nobody waits for the result any more.
    void forward(const Array &volume, Array &projections) override;
    void back(const Array &projections, Array &volume) override;

    // Projections of views from `first` on, as many as find place in `projections`.
    void forward(const Array &volume, unsigned first, Array &projections);

    // A part of a result that can be made by itself, with the bits that it has in the whole: some of the
    // units of an operator, which are a few views, or rows of all slices, or slices.
    struct Part {
        unsigned first, count;
        unsigned end() const { return first + count; }
    };
    unsigned forward_units() const;
    unsigned back_units() const;
    // These samples of `projections` or `volume`, which are whole. Others may be written, or keep their
    // values.
    void forward_part(const Array &volume, const Part &part, Array &projections);
    void back_part(const Array &projections, const Part &part, Array &volume);
    // Where a part lies: `number` strips of `length` samples.
    struct Strips {
        std::uint64_t first, pitch, length, number;
        std::uint64_t samples() const { return length * number; }
    };
    Strips strips_of_forward(const Part &part) const;
    Strips strips_of_back(const Part &part) const;

    // Projectors make the same bits on devices of one model if these agree.
    struct Variant {
        bool has_quads, projects_lines, gathers_lines;
        bool operator==(const Variant &) const = default;
    };
    Variant variant() const;

    // Bytes of the copies that an operator makes, of the volume or of the projections.
    std::uint64_t bytes_of_forward() const;
    std::uint64_t bytes_of_back() const;

  private:
    // On GPUs, where all rays of a detector column go over the same lines along z.
    bool can_project_lines() const;
    bool can_gather_lines() const;
    bool gathers_quads() const { return has_quads() && can_gather_lines(); }
    // Numbers from one up to another.
    struct Range {
        unsigned first, end;
        unsigned count() const { return end - first; }
    };
    // `made`: rows of all slices, or slices where quads are gathered, whose columns are spread over all rows.
    void gather(const Array &projections, const Range &made, Array &volume);
    void gather_lines(const Array &projections, const Range &made, Array &volume);
    void gather_rays(const Array &projections, const Range &rows, Array &volume);
    // `made`: of the views that `projections` has, whose first one is `first`; or of the quads, if it has
    // all.
    void project(const Array &volume, unsigned first, const Range &made, Array &projections);
    void project_lines(const Array &volume, unsigned first, const Range &made, Array &projections);
    void project_rays(const Array &volume, unsigned first, const Range &made, Array &projections);
    // The numbers in `made`, as uint; see there.
    Array by_direction(unsigned first, const Range &made);
    bool has_quads() const { return can_project_lines() && quads_.is_complete(); }
    unsigned views_or_quads() const { return has_quads() ? quads_.quads() : views_; }
    std::uint64_t bytes_of_lines() const;
    std::uint64_t bytes_of_gathered() const;
    // Rows of a detector column with its border.
    unsigned gathered_pitch() const;
    unsigned views_of_unit() const;
    // Rows or slices.
    unsigned lines_of_unit() const;
    unsigned all_lines() const { return gathers_quads() ? grid_.z.count : grid_.y.count; }
    Range views_of(const Part &part) const;
    Range lines_of(const Part &part) const;
    bool fits_quads(std::uint64_t memory) const;
    Kernel kernel(const char *function);
    std::uint64_t rays_of_view() const { return std::uint64_t{columns_} * rows_; }
    void check(const Array &volume, const Array &projections, const Array &result, unsigned views) const;
    // Nobody can stop a launch, so each one makes a part: some views, or some rows or slices.
    double most_work() const; // steps of rays
    // How many of `most` find place in it, each of `work`; no less than one.
    unsigned part(double work, unsigned most) const;

    Compute &compute_;
    const VolumeGrid grid_;
    const unsigned columns_, rows_, views_;
    Array geometry_;
    std::vector<double> directions_;                 // of views: the angle of the middle ray over x and y
    double pixels_of_voxel_ = 0.0;                   // that count for it at most
    bool has_mixed_ = false;                         // views whose rays have several driving axes
    bool needs_turned_ = false;                      // rays that are driven along x
    bool is_upright_ = true;                         // see can_project_lines()
    double reach_columns_ = 0.0, reach_rows_ = 0.0;  // of rays within a voxel's distance, if so
    static constexpr unsigned rows_of_ray_group = 4; // of a slice, in a work-group that follows rays
    SquareOfColumns square_;
    ViewQuads quads_;     // of the square
    Array quad_geometry_; // of its first quarter of the views
};

} // namespace tomo
