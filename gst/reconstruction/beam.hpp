// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Makes projections independent of the intensity of the beam while they were taken: by a monitor's values,
// and by a region where only air is.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <optional>

namespace tomo::reconstruction {

// Whether projections and flats are divided by the values of the scan's monitor.
bool is_monitor_used(const Settings &settings, const Inspection &scan);

// A region of the detector's columns and rows.
struct AirRegion {
    unsigned x, y, width, height;
};
// Throws Error on a value that names none, or one that does not lie on the detector.
std::optional<AirRegion> air_region(const Settings &settings, const Inspection &scan);

} // namespace tomo::reconstruction
