// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Daubechies' wavelets; plain C++ without a device.
#pragma once

#include <vector>

namespace tomo::correction {

// The scaling filter with so many vanishing moments and twice as many coefficients, whose sum is sqrt(2): the
// one of least phase (I. Daubechies, Ten Lectures on Wavelets, SIAM, 1992, section 6.1). One moment is
// Haar's.
std::vector<double> daubechies(unsigned moments);

inline constexpr unsigned most_moments = 20; // up to which the coefficients are exact to 1e-14

} // namespace tomo::correction
