// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "chunk-sizes.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <bit>
#include <cstdio>

namespace tomo::io {

ChunkSizes chunk_sizes(const std::string &chunks, const ArrayInfo &image) {
    constexpr unsigned cube = 64;
    ChunkSizes sizes{1, image.height, image.width};
    char rest;
    if (chunks == "cube")
        sizes = {cube, cube, cube};
    else if (chunks != "image" && (std::sscanf(chunks.c_str(), "%u,%u,%u%c", &sizes.images, &sizes.rows,
                                               &sizes.columns, &rest) != 3 ||
                                   sizes.images == 0 || sizes.rows == 0 || sizes.columns == 0 ||
                                   chunks.find_first_of("-+ ") != std::string::npos))
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text(
                "chunks is '%s'; it must be image, cube, or three sizes along images, rows and columns, such "
                "as 32,256,256",
                chunks.c_str()));
    sizes.rows = std::min(sizes.rows, image.height);
    sizes.columns = std::min(sizes.columns, image.width);
    return sizes;
}

ChunkSizes level_chunk_sizes(const ArrayInfo &image, std::optional<std::uint64_t> images) {
    constexpr std::uint64_t most_bytes = 128 << 20;
    constexpr unsigned least_images = 8;
    auto sizes = chunk_sizes("cube", image);
    const auto affordable = std::bit_floor(std::max<std::uint64_t>(most_bytes / image.size(), least_images));
    sizes.images = static_cast<unsigned>(std::clamp<std::uint64_t>(
        images.value_or(sizes.images), 1, std::min<std::uint64_t>(sizes.images, affordable)));
    return sizes;
}

} // namespace tomo::io
