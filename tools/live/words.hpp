// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace live {

// The command in JSON of a line that a person types, such as "plane 0 x=3" or "keep 20 scan.h5"; lines in
// JSON stay as they are. Throws std::runtime_error with all that can be typed.
std::string command_of(const std::string &line);

} // namespace live
