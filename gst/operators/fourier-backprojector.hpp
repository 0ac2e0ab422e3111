// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/fourier-grid.hpp>
#include <gst/operators/fourier-rows.hpp>
#include <gst/tomo/geometry/slice-region.hpp>

#include <complex>
#include <vector>

namespace tomo {

// Sinograms of a parallel beam to slices, filtered and backprojected by a non-uniform Fourier transform:
// kernels/fourier-backproject.cl has the formulas. It takes N^2 log N steps for N^2 pixels, where
// backprojection takes N^3.
//
// Rows are filtered by a response of `length` samples, padded by their edge values, and interpolated by their
// trigonometric polynomial. A slice with a sample that is not finite becomes NaN.
class GST_TOMO_API FourierBackprojector {
  public:
    FourierBackprojector(Compute &compute, const Spreading &spreading)
        : compute_(compute), spreading_(spreading), rows_(compute), grid_(compute, spreading) {}

    // Chooses sizes for up to slices.depth slices at a time. `response` has H[k] of a transform of its own,
    // even, length. Throws Error on lengths that do not serve.
    void plan(const ArrayInfo &sinograms, const ArrayInfo &slices,
              const std::vector<std::complex<double>> &response);
    // One angle and weight for each row of the sinograms; the axis in edge coordinates of these and of the
    // slice.
    void set_views(const std::vector<double> &angles, const std::vector<double> &weights, double axis,
                   double axis_in_slice, const SliceRegion &slice);
    // May have fewer planes than planned.
    void run(const Array &sinograms, Array &slices);

    // Slices that keep the device busy and for which there is memory.
    unsigned batch_that_pays(const ArrayInfo &sinogram, unsigned width, unsigned height,
                             unsigned length) const;

  private:
    Compute &compute_;
    const Spreading spreading_;
    unsigned pairs_ = 0; // of slices side by side, at most
    ArrayInfo slice_;    // one
    FourierRows rows_;
    FourierGrid grid_;
};

} // namespace tomo
