// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
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

// What HDF5's filters shuffle and deflate make of each chunk, several at the same time; nothing at level 0.
// All chunks become `chunk_bytes` before, the last one with zeros. One that would grow stays as it is.
void compress_chunks(std::vector<ChunkToWrite> &chunks, std::uint64_t chunk_bytes, std::size_t sample_size,
                     unsigned level);

} // namespace tomo::io
