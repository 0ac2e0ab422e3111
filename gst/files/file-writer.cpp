// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file-writer.hpp"

namespace tomo::io {

std::vector<std::pair<std::string, std::string>> completeness_words(const StreamLength &length) {
    if (!length.is_known())
        return {};
    std::vector<std::pair<std::string, std::string>> words = {
        {"complete", length.is_complete() ? "true" : "false"}};
    if (length.lacks_some())
        words.emplace_back("images_expected", std::to_string(*length.announced));
    return words;
}

} // namespace tomo::io
