// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-writer.hpp"

namespace tomo::io {

// An empty path is standard output, which gets raw samples. Throws on a wrong path or wrong options before it
// creates anything.
std::unique_ptr<ImageWriter> open_writer(const std::string &path, const WriteOptions &options = {});

// Into images in memory, which have room for those that come.
std::unique_ptr<ImageWriter> open_memory_writer(const std::string &location, const WriteOptions &options);

} // namespace tomo::io
