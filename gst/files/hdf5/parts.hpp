// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A dataset whose images lie in several files, each with every n-th of them. A system writes to one file for
// one thread at a time; several files are written side by side.
#pragma once

#include <gst/files/file-format.hpp>
#include <gst/files/image-writer.hpp>

#include <functional>
#include <memory>

namespace tomo::io {

// A writer of one file; its name is a pattern.
using OpenPart = std::function<std::unique_ptr<ImageTarget>(const Location &, const WriteOptions &)>;

// FILE holds a virtual dataset of the images in FILE.parts (see part-names.hpp), and of the levels of a
// pyramid. Those of its earlier images are removed once FILE stands upon the new ones. A run that resumes
// takes the files of an interrupted one, else those of FILE. `location` is no pattern. Throws where the
// options do not go together with that.
std::unique_ptr<ImageTarget> open_hdf5_parts(const Location &location, const WriteOptions &options,
                                             OpenPart open_part);

} // namespace tomo::io
