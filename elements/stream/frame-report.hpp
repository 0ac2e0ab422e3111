// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A buffer in words, for elements that print.
#pragma once

#include <gst/tomo/device/device-array.hpp>

namespace tomo {

// Shape, facts and place in memory, as a line that begins with `who`.
std::string frame_report(const char *who, GstBuffer *buffer, const ArrayInfo &info);
// A line of the first n samples; nothing for n = 0.
std::string first_values(GstBuffer *buffer, const ArrayInfo &info, std::uint64_t n);

} // namespace tomo
