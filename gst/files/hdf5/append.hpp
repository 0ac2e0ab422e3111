// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-dataset.hpp"
#include "target.hpp"

#include <string>

// Images behind those of a dataset in the file of a target. Samples are arranged, compressed and written
// without the library's lock, where the library only places them. `name` stands in errors.
namespace tomo::io {

void hdf5_append(Hdf5Target &target, ImageDataset &to, const void *samples, const ChunkedPage *chunked,
                 const std::string &name);

// Writes the images that fill no whole chunk.
void hdf5_complete(Hdf5Target &target, ImageDataset &to, const std::string &name);

} // namespace tomo::io
