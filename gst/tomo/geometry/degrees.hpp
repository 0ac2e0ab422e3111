// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <numbers>

namespace tomo {

// For people; everything computes with radians.
constexpr double degrees(double radians) { return radians * 180.0 / std::numbers::pi; }
constexpr double radians(double degrees) { return degrees * (std::numbers::pi / 180.0); }

} // namespace tomo
