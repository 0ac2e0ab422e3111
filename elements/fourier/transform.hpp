// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What tomofft and tomoifft share.
#pragma once

#include <gst/tomo/element.hpp>
#include <gst/tomo/fft.hpp>

namespace tomo::fourier {

// Rows, planes or the block of an array, as many as it has.
FftShape shape_of(const ArrayInfo &info, unsigned dimensions);

// The plan for an array; making it for the first time takes a while.
std::shared_ptr<Fft> plan(Element &element, const ArrayInfo &info, unsigned dimensions);

void run(Element &element, Fft &fft, FftDirection direction, const Array &in, Array &out);

} // namespace tomo::fourier
