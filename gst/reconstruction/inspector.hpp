// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Looks into the files of a scan, and judges them.
#pragma once

#include <gst/reconstruction/inspection.hpp>

namespace tomo::reconstruction {

// Reads the files: all names and headers, and the samples of a few images. Throws Error if there is no scan.
GST_TOMO_API Inspection inspect(const Settings &settings);

} // namespace tomo::reconstruction
