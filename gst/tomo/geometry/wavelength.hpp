// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace tomo {

// In metres, of photons of this energy in keV.
constexpr double wavelength(double energy) {
    constexpr double planck = 6.62607015e-34, light = 299792458.0, kiloelectronvolt = 1.602176634e-16;
    return planck * light / (energy * kiloelectronvolt);
}

} // namespace tomo
