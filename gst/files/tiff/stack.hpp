// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace tomo::io {

// How many images the ImageDescription of a TIFF file's only directory promises, 1 where it promises nothing.
// ImageJ writes lines, "ImageJ=1.53" first and "images=500" among them; tifffile writes JSON with a "shape"
// and "truncated" where it left out directories. `samples` are those of one image.
std::uint64_t tiff_stack_images(const std::string &description, std::uint64_t samples);

} // namespace tomo::io
