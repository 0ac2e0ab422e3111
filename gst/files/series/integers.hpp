// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/image-writer.hpp>

#include <memory>

// Writers that turn samples into integers.
namespace tomo::io {

// Into files, by the range of values that the options choose.
std::unique_ptr<ImageWriter> open_integer_writer(const Location &location, FileType type,
                                                 WriteOptions options);
// Into another writer, by a range that is known before, or by the range of each image.
std::unique_ptr<ImageWriter> convert_to_integers(std::unique_ptr<ImageWriter> target,
                                                 const WriteOptions &options);

// Whether the range is that of all images, so that images have to be kept until it is known.
bool needs_all_images(const WriteOptions &options);

// Throws on wrong options for integers.
void check_integers(const WriteOptions &options);

} // namespace tomo::io
