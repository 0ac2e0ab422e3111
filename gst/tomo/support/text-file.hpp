// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files of text, which are regular files: a pipe or a device in place of one would be waited for without end.
#pragma once

#include <gst/tomo/support/error.hpp>

#include <cstdio>
#include <memory>

namespace tomo {

// All of a file. `what` says in messages what was wanted. Throws if it can't be read, is no regular file, or
// holds more than any text of ours.
GST_TOMO_API std::string read_text_file(const std::string &path, const std::string &what);

struct CloseFile {
    void operator()(std::FILE *file) const { std::fclose(file); }
};
using TextFile = std::unique_ptr<std::FILE, CloseFile>;

enum class Begin { anew, at_end };
// Throws if it can't be written to, or is a pipe, a socket or a folder.
GST_TOMO_API TextFile write_text_file(const std::string &path, Begin begin);

// Writes a file anew, as a whole or not at all.
GST_TOMO_API void replace_text_file(const std::string &path, const std::string &contents);

} // namespace tomo
