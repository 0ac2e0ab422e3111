// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>

namespace tomo {

// The parabola through three values, one step apart: its second derivative, and the place of its least value
// in steps from the one in the middle, no farther than its neighbours and 0 where nothing bends upwards.
struct Parabola {
    Parabola(double before, double middle, double after)
        : bend(before - 2.0 * middle + after),
          vertex(bend > 0.0 ? std::clamp(0.5 * (before - after) / bend, -1.0, 1.0) : 0.0) {}

    double bend, vertex;
};

} // namespace tomo
