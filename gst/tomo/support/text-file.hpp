// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files of text. They must be regular files: reading a pipe or a device could wait for ever.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <cstdio>
#include <memory>

namespace tomo {

// The contents of a file. `what` names the purpose of the file in messages. Throws if the file can't be read,
// is not a regular file, or is larger than any text of this library.
GST_TOMO_API std::string read_text_file(const std::string &path, const std::string &what);

struct CloseFile {
    void operator()(std::FILE *file) const { std::fclose(file); }
};
using TextFile = std::unique_ptr<std::FILE, CloseFile>;

enum class Begin { anew, at_end };
// Throws if the file can't be written, or is a pipe, a socket or a folder.
GST_TOMO_API TextFile write_text_file(const std::string &path, Begin begin);

// Writes a file anew, as a whole or not at all.
GST_TOMO_API void replace_text_file(const std::string &path, const std::string &contents);

} // namespace tomo
