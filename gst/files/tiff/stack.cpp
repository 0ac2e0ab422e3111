// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stack.hpp"
#include <gst/files/file-format.hpp>

#include <glib.h>

namespace tomo::io {

namespace {

std::uint64_t images_of_imagej(const std::string &lines) {
    constexpr char key[] = "\nimages=";
    const auto at = lines.find(key);
    return at == std::string::npos ? 1 : g_ascii_strtoull(lines.c_str() + at + sizeof key - 1, nullptr, 10);
}

std::uint64_t images_of_shape(const std::string &json, std::uint64_t samples) {
    const auto shape = json.find("\"shape\": [");
    if (shape == std::string::npos || json.find("\"truncated\": true") == std::string::npos)
        return 1;
    const auto begin = json.find('[', shape), end = json.find(']', begin);
    std::uint64_t all = 1;
    for (auto at = begin; at < end; at = json.find(',', at)) {
        char *behind = nullptr;
        const std::uint64_t extent = g_ascii_strtoull(json.c_str() + ++at, &behind, 10);
        if (behind == json.c_str() + at || !multiply({all, extent}, all))
            return 1;
    }
    return samples && all % samples == 0 ? all / samples : 1;
}

} // namespace

std::uint64_t tiff_stack_images(const std::string &description, std::uint64_t samples) {
    if (description.compare(0, 7, "ImageJ=") == 0)
        return images_of_imagej(description);
    if (!description.empty() && description[0] == '{')
        return images_of_shape(description, samples);
    return 1;
}

} // namespace tomo::io
