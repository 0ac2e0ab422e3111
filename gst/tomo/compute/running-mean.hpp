// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>

namespace tomo {

// The mean of arrays of one size, sample by sample. It sums in float64, or in pairs of float32 on devices
// without float64. Its memory does not grow with the number of arrays.
class GST_TOMO_API RunningMean {
  public:
    explicit RunningMean(Compute &owner) : owner_(owner) {}

    // Compiles the kernels, so that the first array does not wait for that.
    void prepare(const ArrayInfo &in);
    // Throws Error on an array whose size or kind differs from the first one.
    void add(const Array &in);
    std::uint64_t count() const { return count_; }
    // The mean of all arrays so far, at least one: float32, or complex64 of complex arrays.
    Array mean();
    void clear();

  private:
    Compute &owner_;
    ArrayInfo info_; // of the mean
    Array sum_;
    std::uint64_t count_ = 0;
};

} // namespace tomo
