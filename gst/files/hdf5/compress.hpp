// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <vector>

namespace tomo::io {

// A chunk of whole rows of an image, on its way into a dataset.
struct ChunkToWrite {
    unsigned row;
    const void *data;
    std::uint64_t bytes;
    std::uint32_t filters_left_out = 0; // bit 0: shuffle, bit 1: deflate
    std::vector<unsigned char> store = {};
};

// Each chunk is `rows` whole rows of an image, compressed at `level` 1 to 9; 0: not compressed.
struct ChunkLayout {
    unsigned rows = 1, level = 0;
    bool operator==(const ChunkLayout &other) const { return rows == other.rows && level == other.level; }
};

// The layout of a new dataset.
ChunkLayout chunk_layout(const ArrayInfo &plane, unsigned level);

struct ChunkedPage {
    ChunkLayout layout;
    std::vector<ChunkToWrite> chunks; // may point into the samples
};

// Applies HDF5's filters shuffle and deflate to the chunks of an image, in several threads. Before that, all
// chunks have the same size, the last one with zeros at its end. A chunk that would grow is not filtered.
ChunkedPage cut_into_chunks(const ArrayInfo &plane, const void *samples, const ChunkLayout &layout);

} // namespace tomo::io
