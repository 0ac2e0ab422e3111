// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

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
    void begin(const ArrayInfo &projection, const VolumeGrid &volume, bool is_per_plane) override;
    void add(const Array &projection, const std::vector<WeightedView> &views) override;
    void copy_slices(unsigned first, Array &out, const Greys &greys) override;

  private:
    struct Form {
        double factors[4];
    };
    struct View {
        Form fast, slow, depth, distance;
        double weight;
        double unused[3];
    };

    View view_of(const WeightedView &view, unsigned plane) const;
    void pack(const Array &projection);
    void run_burst();
    Array upload_views();
    std::string formats() const;
    std::string options_of_views() const;
    std::size_t texels() const;
    // Sizes of the volume and of a projection, in the order in which they lie.
    unsigned lanes() const { return is_along_z_ ? volume_.z.count : volume_.x.count; }
    unsigned rows() const { return is_along_z_ ? volume_.x.count : volume_.y.count; }
    unsigned planes() const { return is_along_z_ ? volume_.y.count : volume_.z.count; }
    unsigned fasts() const { return is_along_z_ ? projection_.height : projection_.width; }
    unsigned slows() const { return is_along_z_ ? projection_.width : projection_.height; }
    unsigned planes_at_a_time(unsigned projections) const;
    bool has_columns() const; // the form of the kernel
    unsigned burst_of(const ArrayInfo &projection) const;
    unsigned texel_of(const ArrayInfo &projection) const;
    std::uint64_t bytes_of(const ArrayInfo &projection) const; // as it is kept
    void run_tiles(const Array &views);
    void run_columns(const Array &views);

    Compute &compute_;
    const GeneralBackprojection settings_;
    unsigned burst_ = 1, texel_ = 1; // samples of a texel
    VolumeGrid volume_;
    bool is_per_plane_ = false;
    bool is_along_z_ = false; // lanes are along z, else along x
    ArrayInfo projection_;
    Array projections_, sums_;
    std::vector<View> views_; // of the burst: of all planes, one projection after the other
    bool has_depth_ = false, is_tilted_ = false, has_lines_ = true; // of the burst's views
    unsigned count_ = 0;                                            // projections in the burst
    bool is_begun_ = false;                                         // sums hold a burst
};

} // namespace tomo
