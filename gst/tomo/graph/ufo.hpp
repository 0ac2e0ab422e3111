// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Numbers in UFO's JSON that stand for names: UFO writes the values of its enumerations as they are in
// memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tomo {

// The text that a property of ours takes for UFO's number; none where UFO has no such number.
std::optional<std::string> ufo_choice(const std::string &task, const std::string &property,
                                      std::int64_t number);
// All of them, "0 nearest, 1 texture"; empty for properties that are no enumeration of UFO's.
std::string ufo_choices(const std::string &task, const std::string &property);

} // namespace tomo
