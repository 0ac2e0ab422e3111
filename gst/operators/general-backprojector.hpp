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
    unsigned burst = 0;                 // projections at a time; 0: what suits the kernel
};

// Projections in any geometry, one after the other, to the slices of a volume. A voxel gets from each the
// sample where it is seen, between pixels, times weight / distance^2. It is for filtered backprojection: it
// is no transpose of a line integral.
//
// How views are grouped, and so how sums are rounded, depends on the whole volume, the whole detector, the
// number of views and the model of the device; not on the part that is made, nor on the memory that is left.
class GST_TOMO_API GeneralBackprojector final : public VolumeOperator {
  public:
    GeneralBackprojector(Compute &compute, const GeneralBackprojection &settings);

    bool fits(const ArrayInfo &projection, unsigned projections, const VolumePart &part,
              const ArrayInfo &out) const override;
    void begin(const ArrayInfo &projection, unsigned projections, const VolumePart &part) override;
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
    // How a part is made.
    struct Form {
        bool is_along_z, has_quads;
        unsigned burst; // projections
        unsigned held;  // of these, if fewer come
        unsigned texel; // samples; the only thing that depends on memory, and changes no bit
    };
    Form form_of(const ArrayInfo &projection, unsigned projections, const VolumePart &part) const;
    const VolumeGrid &volume() const { return part_.volume; }
    // Sizes of the volume and of the window of a projection, in the order in which they lie.
    unsigned lanes() const { return form_.is_along_z ? volume().z.count : volume().x.count; }
    unsigned rows() const { return form_.is_along_z ? volume().x.count : volume().y.count; }
    unsigned planes() const { return form_.is_along_z ? volume().y.count : volume().z.count; }
    unsigned fasts() const { return form_.is_along_z ? window_.count : projection_.width; }
    unsigned slows() const { return form_.is_along_z ? projection_.width : window_.count; }
    // `part` and `window` of kernels/general-view.h.
    cl_uint4 part() const;
    cl_int4 window() const;
    std::size_t tiles_along_lanes(unsigned tile) const;
    Array allocate_texels(unsigned samples, unsigned projections);
    Array upload(const std::vector<VoxelView> &views);
    // A launch can't be stopped. So it makes a number of planes, in which each update adds a sample to a
    // voxel.
    unsigned planes_at_a_time(unsigned projections) const;

    // Memory
    bool has_columns() const;                                      // the form of the kernel
    std::uint64_t bytes_of(unsigned columns, unsigned rows) const; // of a projection, a sample in each texel

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
    Form form_{};
    VolumePart part_;
    DetectorRows window_; // of the detector, that texels have
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
