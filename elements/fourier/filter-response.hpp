// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Responses of the filters of filtered backprojection; plain C++ without a device.
#pragma once

#include <complex>
#include <vector>

namespace tomo::fourier {

enum class Response { ramp, ramp_fromreal, butterworth, faris_byer, hamming, bh3 };

struct ResponseParameters {
    double cutoff = 0.5; // cycles per pixel; butterworth and hamming
    double order = 4.0;  // butterworth
    double tau = 0.1;    // distance of samples; faris-byer
    double theta = 1.0;  // radians; faris-byer
    double scale = 1.0;
};

// H[k] for k = 0 .. n - 1 of a transform of any length n, f = k / n cycles per pixel, mirrored:
//
// ramp           f scale; 0.25 / n at f = 0, whatever the scale
// ramp_fromreal  scale times the transform of h(0) = 1/4, h(odd j) = -1 / (pi j)^2, h(even j) = 0
//                (Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, equation 61 of
//                chapter 3)
// butterworth    f scale / (1 + (f / cutoff)^(2 order))
// hamming        f scale (0.54 + 0.46 cos(pi f / cutoff)) below cutoff, else 0
// bh3            f scale (0.42 + 0.5 cos(pi f) + 0.08 cos(2 pi f)); 0.25 / n at f = 0
// faris_byer     for beam deflections (Faris and Byer, Applied Optics 27 (1988) 5202): the ramp divided by a
//                derivative, -i sign(f) / (2 pi tau), from its kernel 1 / (pi^2 tau j) at odd j; UFO's theta
//                adds sin(theta) / (2 tau) times ramp_fromreal
//
// All but faris_byer are real.
std::vector<std::complex<double>> response(Response kind, unsigned n, const ResponseParameters &parameters);

} // namespace tomo::fourier
