// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL

// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The common part of the methods that try candidates for the axis of each sinogram by itself.
#pragma once

#include <gst/operators/fourier-transforms.hpp>
#include "axis-method.hpp"

#include <bit>

namespace tomo {

class CandidateMethod : public AxisMethod {
  public:
    AxisRange usual_range(unsigned width) const final { return {0.25 * width, 0.75 * width}; }

    std::vector<AxisFound> find(const Array &in, const AxisRange &range) final {
        std::vector<AxisFound> result;
        for (unsigned z = 0; z < in.depth(); z++)
            result.push_back(find_in(in.plane(z), range));
        return result;
    }

  protected:
    explicit CandidateMethod(Compute &compute) : compute_(compute) {}

    virtual AxisFound find_in(const Array &sinogram, const AxisRange &range) = 0;

    // Plans the transforms of rows, which are padded to a power of two, at least to so many columns.
    void plan_transforms(unsigned columns, unsigned rows, unsigned dimensions) {
        padded_ = {GST_TOMO_FORMAT_COMPLEX64, std::bit_ceil(columns), rows};
        transforms_ = {compute_, padded_, dimensions, 1};
    }

    // Candidates in blocks of as many as a work-item takes at once; the last one fills up its block.
    struct Blocks {
        Array axes;
        unsigned number; // of blocks
    };
    Blocks blocks(const double *axes, std::size_t count, unsigned at_once) const {
        const auto number = static_cast<unsigned>((count + at_once - 1) / at_once);
        std::vector<float> filled(axes, axes + count);
        filled.resize(std::size_t{number} * at_once, filled.back());
        return {compute_.upload(filled), number};
    }

    Compute &compute_;
    ArrayInfo padded_;
    fourier::Transforms transforms_;
};

} // namespace tomo
