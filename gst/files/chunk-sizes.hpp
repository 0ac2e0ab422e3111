// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <string>

namespace tomo::io {

// The part of a volume that is stored, and read, together.
struct ChunkSizes {
    unsigned images = 1, rows = 0, columns = 0;
};

// "image", "cube" (64 samples along each axis), or sizes along images, rows and columns such as "32,256,256".
// None is larger than an image. Throws if the text says something else.
ChunkSizes chunk_sizes(const std::string &chunks, const ArrayInfo &image);

} // namespace tomo::io
