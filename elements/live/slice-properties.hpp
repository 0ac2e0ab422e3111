// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/property.hpp>

namespace tomo::live {

// The properties that one slice has as well as several together.
struct SliceProperties {
    SliceProperties(Element *owner, When when)
        : axis_pos(
              owner, "axis-pos", Automatic{-1, {{-1, 0}}}, {-1.0, 32768.0}, when,
              "Rotation axis in the middle row, in edge coordinates (the middle of W columns is W / 2); 0 or less: that of the scan, else the middle"),
          roll(
              owner, "roll", 0.0, {-1.5, 1.5}, when,
              "Radians that the axis is turned in the detector, positive where it lies further to the right in lower rows"),
          every(
              owner, "every", 1, {1, G_MAXUINT}, when,
              "Projections from one slice to the next one, at least; another plane, axis or roll is shown by the next projection") {
    }

    Property<double> axis_pos, roll;
    Property<unsigned> every;
};

} // namespace tomo::live
