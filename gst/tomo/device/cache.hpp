// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files that save work the next time: compiled kernels, tuned variants. In GST_TOMO_CACHE_DIR, or in
// gst-tomo of the user's cache folder.
#pragma once

#include <string>

namespace tomo {

std::string sha256(const std::string &data);

// Where that which `key` describes is kept.
std::string cache_path(const std::string &key, const char *suffix);

// Beside and renamed. A cache that can't be written only costs time, so failures are logged and no more.
void store_in_cache(const std::string &path, const std::string &contents) noexcept;

} // namespace tomo
