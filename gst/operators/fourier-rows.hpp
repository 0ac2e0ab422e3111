// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/fourier-transforms.hpp>
#include <gst/operators/group-fft.hpp>
#include <gst/tomo/geometry/slice-region.hpp>

#include <complex>
#include <optional>
#include <vector>

namespace tomo {

// Rows of sinograms and samples of slices' spectra on lines through their middle: S[p][k] of
// kernels/fourier-backproject.cl.
class FourierRows {
  public:
    explicit FourierRows(Compute &compute) : compute_(compute) {}

    // For blocks of at most so many pairs of slices. `response` has H[k] of the padded rows.
    void plan(unsigned width, unsigned views, unsigned pairs, bool continues_edges,
              const std::vector<std::complex<double>> &response);
    // One of each for each view; a middle is the column that sees the middle of the slice.
    void set_views(const std::vector<double> &middles, const std::vector<double> &weights);

    unsigned length() const { return length_; }
    unsigned width() const { return width_; }
    unsigned views() const { return views_; }
    ArrayInfo samples(unsigned pairs) const;

    // Samples of the rows. Marks slices with a sample that is not finite.
    void to_samples(const Array &sinograms, Array &samples, Array &is_bad, unsigned pairs);
    // The transpose, for rows that were continued by zeros. Slices that are marked become NaN.
    void from_samples(const Array &samples, Array &sinograms, const Array &is_bad, unsigned pairs);

  private:
    Array chunk_of_rows(unsigned pairs) const;
    WorkSize size_of_samples(unsigned pairs) const;
    WorkSize size_of_groups(unsigned pairs) const;
    Kernel kernel_of_rows(const char *function, unsigned pairs) const;

    Compute &compute_;
    unsigned width_ = 0, views_ = 0, length_ = 0;
    unsigned chunk_ = 0; // views whose rows are transformed at once
    bool continues_edges_ = false;
    std::optional<fourier::GroupFft> group_fft_; // where it serves
    fourier::Transforms transforms_;             // elsewhere
    Array response_, factors_;
};

// The columns that see the middle of a slice, which is at pixel (width / 2, height / 2).
std::vector<double> columns_of_middle(const std::vector<double> &angles, double axis, double axis_in_slice,
                                      const SliceRegion &slice);

} // namespace tomo
