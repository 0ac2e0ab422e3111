// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Beams that diverge from a point. A source distance that is not a positive number is that of a parallel
// beam.
#pragma once

#include <cmath>

namespace tomo {

inline bool is_source_near(double source_distance) {
    return source_distance > 0.0 && std::isfinite(source_distance);
}

// By which the detector, `distance` behind the sample, sees it larger.
inline double magnification(double source_distance, double distance) {
    return is_source_near(source_distance) && std::isfinite(distance) ? 1.0 + distance / source_distance
                                                                      : 1.0;
}

// Behind which a parallel beam makes the same image, but for its size (Fresnel scaling theorem).
inline double distance_of_parallel_beam(double source_distance, double distance) {
    return distance / magnification(source_distance, distance);
}

} // namespace tomo
