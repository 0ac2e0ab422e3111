// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/fourier-transforms.hpp>
#include <gst/tomo/geometry/slice-region.hpp>

#include <complex>
#include <optional>
#include <vector>

namespace tomo {

// How samples are spread over the points of a grid: each over `width` x `width` of them, of a grid that has
// at least `oversampling` points for each pixel, by the function of Kaiser and Bessel with the parameter
// `beta`.
struct Spreading {
    double oversampling;
    unsigned width;
    double beta;

    // The cheapest one whose error is below this share (L2 norm) of slices of white noise.
    GST_TOMO_API static Spreading of_tolerance(double tolerance);
    // Of the function, at `x` cycles per point.
    double transform(double x) const;

    static constexpr double best = 1e-5, worst = 1e-2; // tolerances
};

// Sinograms of a parallel beam to slices, filtered and backprojected by a non-uniform Fourier transform:
// kernels/fourier-backproject.cl has the formulas. It takes N^2 log N steps for N^2 pixels, where
// backprojection takes N^3.
//
// Rows are filtered by a response of `length` samples, padded by their edge values, and interpolated by their
// trigonometric polynomial. A slice with a sample that is not finite becomes NaN.
class GST_TOMO_API FourierBackprojector {
  public:
    FourierBackprojector(Compute &compute, const Spreading &spreading)
        : compute_(compute), spreading_(spreading) {}

    // Chooses sizes and compiles the kernels for up to slices.depth slices at a time. `response` has H[k] of
    // a transform of its own, even, length. Throws Error on lengths that do not serve.
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
    struct Grid {
        unsigned columns, rows;
        std::uint64_t points() const { return std::uint64_t{columns} * rows; }
    };

    Grid grid_of(unsigned width, unsigned height) const;
    unsigned pairs_of(const ArrayInfo &sinogram, const Grid &grid, unsigned length,
                      std::uint64_t slices) const;
    Kernel kernel(const std::string &function, unsigned pairs) const;
    void make_lists(const std::vector<double> &angles);
    void make_deapodization();
    void run_block(const Array &sinograms, Array &slices, unsigned pairs);

    Compute &compute_;
    const Spreading spreading_;
    bool in_groups_ = false; // kernels that share local memory
    unsigned pairs_ = 0;     // of slices side by side, at most
    unsigned length_ = 0;    // of the padded rows
    unsigned chunk_ = 0;     // views whose rows are transformed at once
    unsigned views_ = 0, width_ = 0;
    Grid grid_{};
    ArrayInfo slice_; // one
    fourier::Transforms of_rows_, of_grid_;
    Array response_, across_, down_;
    std::vector<double> angles_; // that the lists are for
    Array begins_, lists_, list_weights_, long_lists_;
    unsigned long_list_count_ = 0;
    Array factors_;
};

} // namespace tomo
