// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/fourier-grid.hpp>
#include <gst/operators/fourier-rows.hpp>
#include <gst/operators/parallel-projector.hpp>

#include <memory>

namespace tomo {

// Line integrals of slices as sinograms, and their transpose, by non-uniform Fourier transforms: N^2 log N
// steps for N^2 pixels. The projector's slice is the band-limited function through its pixels, without
// frequencies beyond half a cycle per pixel in any direction: by the Fourier slice theorem, sample c of a
// view at angle t is
//     1 / L sum over |k| < L / 2 of X(k cos t / L, k sin t / L) exp(2 pi i k h / L), h = c + 1/2 - axis,
//     X(f, g) = sum over pixels of x exp(-2 pi i (bx f + by g))
// with bx and by as ParallelProjector has them. L is so long that no row meets what is periodic about it.
//
// A slice or sinogram with a sample that is not finite becomes NaN as a whole.
class GST_TOMO_API FourierProjector final : public Projector {
  public:
    // The cheapest one whose error is below this share (L2 norm) of the projections of white noise in the
    // ellipse within the slice.
    static Spreading spreading_of(double tolerance);

    // Throws Error for a geometry that can't be computed.
    FourierProjector(Compute &compute, ParallelBeam beam, const SliceRegion &slice,
                     const Spreading &spreading);

    ArrayInfo volume(unsigned slices) const override {
        return {GST_TOMO_FORMAT_FLOAT32, slice_.width, slice_.height, slices};
    }
    ArrayInfo projections(unsigned slices) const override {
        return {GST_TOMO_FORMAT_FLOAT32, beam_.columns, static_cast<unsigned>(beam_.angles.size()), slices};
    }
    void forward(const Array &volume, Array &projections) override;
    void back(const Array &projections, Array &volume) override;
    // By Joseph's method.
    Projector &of_sums() override;

    // That the device holds for all slices together: tables, and what is on its way.
    static std::uint64_t bytes(const Device &device, const ParallelBeam &beam, const SliceRegion &slice,
                               const Spreading &spreading);

  private:
    static unsigned length_of(const ParallelBeam &beam, const SliceRegion &slice);
    void plan(unsigned slices);

    Compute &compute_;
    const ParallelBeam beam_;
    const SliceRegion slice_;
    const Spreading spreading_;
    const unsigned length_; // of rows
    unsigned pairs_ = 0;    // of slices side by side, at most; 0: not planned
    FourierRows rows_;
    FourierGrid grid_;
    std::unique_ptr<ParallelProjector> of_sums_;
};

} // namespace tomo
