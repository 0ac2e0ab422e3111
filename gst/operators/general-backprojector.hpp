// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/view-quads.hpp>
#include <gst/operators/volume-operator.hpp>
#include <gst/tomo/compute/compute.hpp>

#include <vector>

namespace tomo {

enum class FloatSize { half, single, twofold };

struct GeneralBackprojection {
    bool is_double = false;             // coordinates and interpolation
    FloatSize sums = FloatSize::single; // what sums are kept in between bursts
    bool has_half_projections = false;  // what projections are kept in
    int addressing = 1;                 // as in tomo_address() of kernels/common.h
    unsigned burst = 0;                 // projections at a time; 0: what suits the device
};

// Projections in any geometry, one after the other, to the slices of a volume. A voxel gets from each the
// sample where it is seen, between pixels, times weight / distance^2. It is for filtered backprojection: it
// is no transpose of a line integral.
class GST_TOMO_API GeneralBackprojector final : public VolumeOperator {
  public:
    GeneralBackprojector(Compute &compute, const GeneralBackprojection &settings);

    unsigned planes_that_fit(const ArrayInfo &projection, unsigned projections, const ArrayInfo &slice,
                             unsigned slices) const override;
    void begin(const ArrayInfo &projection, unsigned projections, const VolumeGrid &volume,
               bool is_per_plane) override;
    void add(const Array &projection, const std::vector<WeightedView> &views) override;
    void copy_slices(unsigned first, Array &out, const Greys &greys) override;

  private:
    // What all of some views have.
    struct Traits {
        bool has_depth = false, is_tilted = false, has_lines = true;
        void add(const VoxelView &view);
        std::string options() const;
    };

    VoxelView view_of(const WeightedView &view, unsigned plane) const;
    std::size_t texels() const; // of a projection
    // Sizes of the volume and of a projection, in the order in which they lie.
    unsigned lanes() const { return is_along_z_ ? volume_.z.count : volume_.x.count; }
    unsigned rows() const { return is_along_z_ ? volume_.x.count : volume_.y.count; }
    unsigned planes() const { return is_along_z_ ? volume_.y.count : volume_.z.count; }
    unsigned fasts() const { return is_along_z_ ? projection_.height : projection_.width; }
    unsigned slows() const { return is_along_z_ ? projection_.width : projection_.height; }
    Array allocate_texels(unsigned samples, unsigned projections);
    Array upload(const std::vector<VoxelView> &views);
    // A launch can't be stopped. So it makes a number of planes, in which each update adds a sample to a
    // voxel.
    unsigned planes_at_a_time(unsigned projections) const;

    // Memory
    bool has_columns() const; // the form of the kernel
    unsigned texel_of(const ArrayInfo &projection) const;
    unsigned burst_of(const ArrayInfo &projection) const;
    std::uint64_t bytes_of(const ArrayInfo &projection) const; // as a burst keeps it
    std::uint64_t memory_for_sums(const ArrayInfo &projection, const ArrayInfo &slice) const;
    bool fits_quads(unsigned projections) const;

    // Bursts of projections
    void prepare_burst();
    void add_to_burst(const std::vector<VoxelView> &views);
    void run_burst();

    // Quads of them
    void leave_quads();

    // Kernels
    std::string formats() const;
    std::string options_of_burst() const;
    void pack(const Array &projection);
    void pack_quad(const Array &projection, unsigned view);
    void pack_texels(const Array &projection, Array &to, unsigned place, unsigned part,
                     const std::string &texel);
    void take_from_quad(unsigned view);
    void run_tiles(const Array &views);
    void run_columns(const Array &views);
    void run_quads();

    static constexpr unsigned border = 2; // texels around a projection, as in kernels/general-view.h

    Compute &compute_;
    const GeneralBackprojection settings_;
    unsigned burst_ = 1, texel_ = 1; // samples of a texel
    VolumeGrid volume_;
    bool is_per_plane_ = false;
    bool is_along_z_ = false; // lanes are along z, else along x
    ArrayInfo projection_;
    Array sums_;
    bool is_begun_ = false; // sums hold a burst
    Array projections_;
    std::vector<VoxelView> views_; // of the burst: of all planes, one projection after the other
    Traits traits_;
    unsigned count_ = 0; // projections in the burst
    Array quads_;        // while the views may be quads
    SquareOfColumns square_;
    ViewQuads view_quads_; // of the square
};

} // namespace tomo
