// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/chunk-group.hpp>
#include <gst/files/chunk-sizes.hpp>
#include <gst/files/image-writer.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace tomo::io {

// A chunk on its way into a dataset.
struct ChunkToWrite {
    unsigned row, column;
    const void *data;
    std::uint64_t bytes;
    std::uint32_t filters_left_out = 0; // bit 0: shuffle, bit 1: deflate
    std::vector<unsigned char> store = {};
};

// The sizes of a chunk, which is compressed at `level` 1 to 9; 0: not compressed.
struct ChunkLayout {
    ChunkSizes sizes = {};
    unsigned level = 0;

    bool operator==(const ChunkLayout &other) const { return sizes == other.sizes && level == other.level; }
    // Whether chunks have parts of rows or of several images, so that images are arranged in a ChunkGroup.
    bool is_grouped(const ArrayInfo &image) const { return sizes.images > 1 || sizes.columns != image.width; }
};

// The layout of a new dataset: as the options say, else a chunk has whole rows of an image. Throws where
// there can't be such chunks.
ChunkLayout chunk_layout(const ArrayInfo &image, const WriteOptions &options);
// That of a level of the pyramid, of `images`.
ChunkLayout level_layout(const ArrayInfo &image, const WriteOptions &options,
                         std::optional<std::uint64_t> images);

struct ChunkedPage {
    ChunkLayout layout;
    std::vector<ChunkToWrite> chunks; // may point into the samples
};

// Applies HDF5's filters shuffle and deflate to the chunks of an image, in several threads. Before that, all
// chunks have the same size, the last one with zeros at its end. A chunk that would grow is not filtered.
ChunkedPage cut_into_chunks(const ArrayInfo &plane, const void *samples, const ChunkLayout &layout);
// The same for the images that are in a group.
ChunkedPage chunks_of(const ChunkGroup &group, const ArrayInfo &image, const ChunkLayout &layout);

} // namespace tomo::io
