// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <string>
#include <utility>
#include <vector>

namespace tomo::io {

// A grey image of 8 or 16 bits as the bytes of a PNG file, with texts by their keys. Throws Error, also where
// PNG is not built in.
std::vector<unsigned char> png_of(const ArrayInfo &image, const void *samples,
                                  std::vector<std::pair<std::string, std::string>> words = {});

} // namespace tomo::io
