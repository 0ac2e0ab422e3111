// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/operators/fourier-transforms.hpp>
#include <gst/operators/spreading.hpp>

#include <vector>

namespace tomo {

// Samples of slices' spectra on lines through their middle, and slices: a non-uniform Fourier transform and
// its transpose, with the formulas of kernels/fourier-backproject.cl.
class FourierGrid {
  public:
    FourierGrid(Compute &compute, const Spreading &spreading) : compute_(compute), spreading_(spreading) {}

    // For slices of this size, `length` samples on a line, and blocks of at most so many pairs of slices.
    void plan(unsigned width, unsigned height, unsigned length, unsigned pairs);
    void set_angles(const std::vector<double> &angles);
    bool has_angles() const { return !angles_.empty(); }

    // Slices that are marked become NaN.
    void to_slices(const Array &samples, Array &slices, const Array &is_bad, unsigned pairs);
    // The transpose, in any real format. Marks slices with a sample that is not finite.
    void from_slices(const Array &slices, Array &samples, Array &is_bad, unsigned pairs);

    // Of so many views: the largest power of two that gives the device enough to do, and for which there is
    // memory.
    static unsigned pairs_of(const Device &device, const Spreading &spreading, unsigned views, unsigned width,
                             unsigned height, unsigned length, std::uint64_t slices);
    // Bytes of the tables for one direction and the other, and of a block of pairs as it is made.
    struct Bytes {
        std::uint64_t to_slices, from_slices, block;
    };
    static Bytes bytes_of(const Spreading &spreading, unsigned views, unsigned width, unsigned height,
                          unsigned length, unsigned pairs);

  private:
    struct Size {
        unsigned columns, rows;
        std::uint64_t points() const { return std::uint64_t{columns} * rows; }
    };

    static Size size_of(const Spreading &spreading, unsigned width, unsigned height);
    unsigned views() const { return static_cast<unsigned>(angles_.size()); }
    unsigned tiles_across() const;
    unsigned tiles() const;
    Array directions() const;
    Array grids(unsigned pairs) const;
    Kernel backward(const char *function, unsigned pairs) const;
    Kernel forward(const char *function, unsigned pairs) const;
    void make_lists();
    void make_places();

    Compute &compute_;
    const Spreading spreading_;
    unsigned width_ = 0, height_ = 0; // of slices
    unsigned length_ = 0;
    Size grid_{};
    fourier::Transforms transforms_;
    Array across_, down_;
    std::vector<double> angles_;
    // From samples to points: what each cell of points gets, once it is asked for.
    Array begins_, lists_, list_weights_, long_lists_;
    unsigned long_list_count_ = 0;
    // From points to samples, likewise.
    Array places_, place_weights_;
};

} // namespace tomo
