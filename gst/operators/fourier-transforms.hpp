// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Discrete Fourier transforms of arrays.
#pragma once

#include <gst/tomo/compute/compute.hpp>
#include <gst/tomo/fft/fft.hpp>

namespace tomo::fourier {

// Transforms of the rows, planes or blocks of arrays of one shape, up to so many arrays at once.
class GST_TOMO_API Transforms {
  public:
    Transforms() = default;
    // Plans; that takes a while when it is done for the first time.
    Transforms(Compute &compute, const ArrayInfo &one, unsigned dimensions, unsigned most);

    // `in` holds as many arrays, one behind another, as `out`.
    void run(Compute &compute, FftDirection direction, const Array &in, Array &out);

  private:
    std::shared_ptr<Fft> plan(Compute &compute, unsigned count) const;

    ArrayInfo one_;
    unsigned dimensions_ = 1;
    unsigned most_ = 1;
    std::shared_ptr<Fft> all_, single_; // of `most_` arrays, of one
};

// So many arrays give the device enough to do when they are transformed. A CPU's cache would rather have one.
GST_TOMO_API unsigned batch_that_pays(const Device &device, const ArrayInfo &in, unsigned dimensions = 1);

// Not less than this, even, without a prime factor above 7, so that transforms are fast.
GST_TOMO_API unsigned good_length(double least);

} // namespace tomo::fourier
