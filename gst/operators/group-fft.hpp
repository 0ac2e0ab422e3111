// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Transforms of rows within kernels, one by each work-group: kernels/group-fft.h.
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <string>

namespace tomo::fourier {

class GST_TOMO_API GroupFft {
  public:
    // Whether the device has room for it beside so many bytes of other local memory. A CPU's local memory is
    // its cache, and FFTW uses that better.
    static bool fits(const Device &device, unsigned length, std::size_t other_bytes = 0);

    GroupFft(Compute &compute, unsigned length);

    // For programs with such kernels.
    std::string options() const;
    std::size_t items() const { return length_ / 16; } // of a work-group
    // Arguments: roots of unity, and what the kernel has for itself.
    BareBuffer circle() const { return {circle_}; }
    LocalMemory local() const { return {local_bytes(length_)}; }

  private:
    static std::size_t local_bytes(unsigned length) { return (length + length / 16) * sizeof(cl_float2); }

    unsigned length_;
    Array circle_;
};

} // namespace tomo::fourier
