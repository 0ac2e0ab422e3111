// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tomo::io {

// The part of a volume that is stored, and read, together.
struct ChunkSizes {
    unsigned images = 1, rows = 0, columns = 0;

    bool operator==(const ChunkSizes &other) const {
        return images == other.images && rows == other.rows && columns == other.columns;
    }
};

// "image", "cube" (64 samples along each axis), or sizes along images, rows and columns such as "32,256,256".
// None is larger than an image. Throws if the text says something else.
ChunkSizes chunk_sizes(const std::string &chunks, const ArrayInfo &image);

// Those of a level of a pyramid in HDF5: cubes, with fewer images where as many as a cube is deep take much
// memory, or fewer are known to come.
ChunkSizes level_chunk_sizes(const ArrayInfo &image, std::optional<std::uint64_t> images);

} // namespace tomo::io
