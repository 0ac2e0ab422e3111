// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Numbers in UFO's JSON that stand for names: UFO writes enumerations as their values in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tomo {

// The text that a property of this library accepts for UFO's number; none if UFO has no such number.
std::optional<std::string> ufo_choice(const std::string &task, const std::string &property,
                                      std::int64_t number);
// All numbers and texts, "0 nearest, 1 texture"; empty for properties that are not enumerations of UFO's.
std::string ufo_choices(const std::string &task, const std::string &property);

} // namespace tomo
