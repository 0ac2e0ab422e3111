// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <string>

namespace tomo::reconstruction {

// Whether slices are made by tomodfi, and why where method=auto chose. `axis` is an edge coordinate of the
// full detector.
struct MethodChoice {
    bool is_fourier;
    std::string reason; // empty where nothing was to choose
};
MethodChoice chosen_method(const Settings &settings, const Inspection &scan, double axis);

} // namespace tomo::reconstruction
