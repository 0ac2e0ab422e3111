// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "compress.hpp"
#include <gst/files/share-work.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <thread>
#include <zlib.h>

namespace tomo::io {

namespace {

// First bytes of all samples, then second bytes, and so on; source: the HDF5 library's description of its
// filter.
std::vector<unsigned char> shuffled(const unsigned char *samples, std::size_t bytes, std::size_t size) {
    std::vector<unsigned char> result(bytes);
    const auto count = bytes / size;
    for (std::size_t byte = 0; byte < size; byte++)
        for (std::size_t i = 0; i < count; i++)
            result[byte * count + i] = samples[i * size + byte];
    return result;
}

void compress(ChunkToWrite &chunk, std::uint64_t chunk_bytes, std::size_t sample_size, unsigned level) {
    std::vector<unsigned char> whole;
    if (chunk.bytes < chunk_bytes) {
        whole.resize(chunk_bytes);
        std::memcpy(whole.data(), chunk.data, chunk.bytes);
    }
    const auto *samples = whole.empty() ? static_cast<const unsigned char *>(chunk.data) : whole.data();
    if (level > 0) {
        const auto bytes =
            sample_size > 1 ? shuffled(samples, chunk_bytes, sample_size) : std::vector<unsigned char>();
        auto size = compressBound(static_cast<uLong>(chunk_bytes));
        chunk.store.resize(size);
        if (compress2(chunk.store.data(), &size, bytes.empty() ? samples : bytes.data(),
                      static_cast<uLong>(chunk_bytes), static_cast<int>(level)) == Z_OK &&
            size < chunk_bytes) {
            chunk.store.resize(size);
            chunk.store.shrink_to_fit();
            chunk.data = chunk.store.data();
            chunk.bytes = size;
            return;
        }
        chunk.filters_left_out = 3;
    }
    chunk.store = std::move(whole);
    if (!chunk.store.empty())
        chunk.data = chunk.store.data();
    chunk.bytes = chunk_bytes;
}

constexpr std::uint64_t largest_chunk = std::numeric_limits<std::uint32_t>::max(); // HDF5's limit

std::uint64_t bytes_of(const ChunkSizes &sizes, const ArrayInfo &image) {
    std::uint64_t bytes = 0;
    return multiply({sizes.images, sizes.rows, sizes.columns, image.sample_size()}, bytes)
               ? bytes
               : std::numeric_limits<std::uint64_t>::max();
}

void compress_chunks(ChunkedPage &page, const ArrayInfo &image) {
    const auto chunk_bytes = bytes_of(page.layout.sizes, image);
    std::vector<ChunkToWrite *> work;
    for (auto &chunk : page.chunks)
        if (page.layout.level > 0 || chunk.bytes < chunk_bytes)
            work.push_back(&chunk);
    share_work(work.size(), std::thread::hardware_concurrency(), [&](std::size_t i) {
        compress(*work[i], chunk_bytes, image.sample_size(), page.layout.level);
    });
}

} // namespace

ChunkLayout chunk_layout(const ArrayInfo &image, const WriteOptions &options) {
    auto sizes = chunk_sizes(options.chunks.empty() ? "image" : options.chunks, image);
    if (sizes == ChunkSizes{1, image.height, image.width}) {
        // A larger image is cut in rows. Compressed chunks are small enough for several threads to have one
        // each.
        const auto most = options.deflate > 0 ? 1 << 20 : largest_chunk;
        const auto row_bytes = std::uint64_t{image.width} * image.sample_size();
        sizes.rows = static_cast<unsigned>(std::clamp<std::uint64_t>(most / row_bytes, 1, image.height));
        return {sizes, options.deflate};
    }
    if (const auto length = options.length ? options.length() : StreamLength{}; length.announced)
        sizes.images = static_cast<unsigned>(std::clamp<std::uint64_t>(*length.announced, 1, sizes.images));
    if (bytes_of(sizes, image) > largest_chunk)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("chunks is %s, and a chunk of %u x %u x %u samples of %s has more than 4 GiB, which "
                         "HDF5 can't have; make it smaller",
                         options.chunks.c_str(), sizes.images, sizes.rows, sizes.columns,
                         gst_tomo_format_to_string(image.format)));
    return {sizes, options.deflate};
}

ChunkLayout level_layout(const ArrayInfo &image, const WriteOptions &options,
                         std::optional<std::uint64_t> images) {
    return {level_chunk_sizes(image, images), options.deflate};
}

ChunkedPage cut_into_chunks(const ArrayInfo &plane, const void *samples, const ChunkLayout &layout) {
    const auto row_bytes = std::uint64_t{plane.width} * plane.sample_size();
    ChunkedPage page{layout, {}};
    for (unsigned row = 0; row < plane.height; row += layout.sizes.rows)
        page.chunks.push_back({row, 0, static_cast<const unsigned char *>(samples) + row * row_bytes,
                               std::min(layout.sizes.rows, plane.height - row) * row_bytes});
    compress_chunks(page, plane);
    return page;
}

ChunkedPage chunks_of(const ChunkGroup &group, const ArrayInfo &image, const ChunkLayout &layout) {
    ChunkedPage page{layout, {}};
    for (std::size_t column = 0; column < group.columns(); column++)
        page.chunks.push_back(
            {group.row_of(column), group.column_of(column), group.planes_of(column), group.column_bytes()});
    compress_chunks(page, image);
    return page;
}

} // namespace tomo::io

#endif // HAVE_HDF5
