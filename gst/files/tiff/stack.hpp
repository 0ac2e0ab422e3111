// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace tomo::io {

// Number of images that the ImageDescription of a TIFF file's only directory announces; 1 if it announces
// none. ImageJ writes lines: first "ImageJ=1.53", later "images=500". tifffile writes JSON with a "shape",
// and "truncated" if it left out directories. `samples` is the number of samples of one image.
std::uint64_t tiff_stack_images(const std::string &description, std::uint64_t samples);

} // namespace tomo::io
