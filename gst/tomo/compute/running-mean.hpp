// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>

namespace tomo {

// The mean of arrays of one size, sample by sample, summed in float64, or in pairs of float32 on devices
// without. Takes the memory of one sum, however many arrays come.
class GST_TOMO_API RunningMean {
  public:
    explicit RunningMean(Compute &owner) : owner_(owner) {}

    // Compiles what is needed, so that the first array does not wait for that.
    void prepare(const ArrayInfo &in);
    // Throws Error on an array of another size or kind than those before.
    void add(const Array &in);
    std::uint64_t count() const { return count_; }
    // Of all so far, one at least: float32, or complex64 of complex arrays.
    Array mean();
    void clear();

  private:
    Compute &owner_;
    ArrayInfo info_; // of the mean
    Array sum_;
    std::uint64_t count_ = 0;
};

} // namespace tomo
