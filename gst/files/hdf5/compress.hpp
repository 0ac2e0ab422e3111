// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <vector>

namespace tomo::io {

// Some rows of an image, on their way into a dataset.
struct ChunkToWrite {
    unsigned row;
    const void *data;
    std::uint64_t bytes;
    std::uint32_t filters_left_out = 0; // bit 0: shuffle, bit 1: deflate
    std::vector<unsigned char> store = {};
};

// Each chunk of an image is so many whole rows of it, compressed at a level from 1 to 9, or not at 0.
struct ChunkLayout {
    unsigned rows = 1, level = 0;
    bool operator==(const ChunkLayout &other) const { return rows == other.rows && level == other.level; }
};

// That of a new dataset.
ChunkLayout chunk_layout(const ArrayInfo &plane, unsigned level);

struct ChunkedPage {
    ChunkLayout layout;
    std::vector<ChunkToWrite> chunks; // may point into the samples
};

// What HDF5's filters shuffle and deflate make of each chunk, several at the same time. All chunks are of the
// same size before, the last one with zeros behind. One that would grow stays as it is.
ChunkedPage cut_into_chunks(const ArrayInfo &plane, const void *samples, const ChunkLayout &layout);

} // namespace tomo::io
