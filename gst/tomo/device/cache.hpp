// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Cached files: compiled kernels, tuned variants. In GST_TOMO_CACHE_DIR, or in gst-tomo of the user's cache
// folder.
#pragma once

#include <string>

namespace tomo {

std::string sha256(const std::string &data);

// Path of the file for `key`.
std::string cache_path(const std::string &key, const char *suffix);

// Writes a file beside `path` and renames it. Failures are only logged, because a missing cache costs nothing
// but time.
void store_in_cache(const std::string &path, const std::string &contents) noexcept;

} // namespace tomo
