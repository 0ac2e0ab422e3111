// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/image-writer.hpp>

#include <memory>

namespace tomo::io {

// Images to one image of OME-Zarr with its pyramid. Throws if name and options do not go together.
std::unique_ptr<ImageTarget> open_zarr_writer(const std::string &name, const WriteOptions &options);

} // namespace tomo::io
