// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Looks into the files of a scan, and judges them.
#pragma once

#include <gst/reconstruction/inspection.hpp>

#include <functional>

namespace tomo::reconstruction {

// Gives Inspection::device_memory, and may open the device to know it.
using DeviceMemory = std::function<std::uint64_t()>;

// Reads the files: all names and headers, and the samples of a few images. Throws Error if there is no scan.
// The device is asked where the room for the result depends on it.
GST_TOMO_API Inspection inspect(const Settings &settings, const DeviceMemory &device_memory);

} // namespace tomo::reconstruction
