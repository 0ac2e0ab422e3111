// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/spreading.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

namespace tomo {

Spreading Spreading::of_tolerance(double tolerance) {
    struct Tried {
        double error; // of white noise
        double oversampling;
        unsigned width;
        double beta_factor; // to Beatty's formula, for the least error within the circle
    };
    static constexpr Tried tried[] = {{4e-3, 1.25, 4, 1.045},
                                      {6e-4, 1.25, 5, 1.038},
                                      {1.3e-4, 1.25, 6, 1.029},
                                      {3e-5, 1.25, 7, 1.025},
                                      {0.0, 1.5, 7, 1.02}};
    const auto &chosen = *std::find_if(std::begin(tried), std::end(tried),
                                       [&](const Tried &t) { return t.error <= tolerance; });
    // Beatty, Nishimura, Pauly, IEEE Trans. Med. Imaging 24, 799 (2005), doi 10.1109/TMI.2005.848376.
    const double ratio = chosen.width / chosen.oversampling * (chosen.oversampling - 0.5);
    return {chosen.oversampling, chosen.width,
            chosen.beta_factor * std::numbers::pi * std::sqrt(ratio * ratio - 0.8)};
}

double Spreading::transform(double x) const {
    const double square = beta * beta - std::pow(std::numbers::pi * width * x, 2),
                 root = std::sqrt(std::abs(square));
    const double value = root < 1e-9 ? 1.0 : square > 0.0 ? std::sinh(root) / root : std::sin(root) / root;
    return width * value * factor();
}

double Spreading::factor() const { return 1.0 / std::cyl_bessel_i(0.0, beta); }

} // namespace tomo
