// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Coarse volumes as files.
#pragma once

#include <gst/tomo/device/array.hpp>

#include <string>

namespace tomo::live {

// Throws Error where no volume can go to a new file of this name.
void check_volume_name(const std::string &path);
// The same of a pattern with a number, for many of them.
void check_volume_pattern(const std::string &pattern);
// The first name of the pattern that is free.
std::string free_volume_name(const std::string &pattern);

// Writes all slices of a volume to a new file. Throws Error.
void write_volume(const std::string &path, const ArrayInfo &info, const void *samples);

} // namespace tomo::live
