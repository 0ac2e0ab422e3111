// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "live-settings.hpp"

#include <string>
#include <vector>

namespace tomo::live {

// Throws Error where parameters contradict each other, or planes are none.
void check(const LiveSettings &settings);

std::vector<std::string> split_planes(const std::string &planes);
std::string joined_planes(const std::vector<std::string> &planes);
// Throw Error where there is no such plane.
void set_plane(LiveSettings &settings, unsigned index, const std::string &plane);
void add_plane(LiveSettings &settings, const std::string &plane);
void remove_plane(LiveSettings &settings, unsigned index);

} // namespace tomo::live
