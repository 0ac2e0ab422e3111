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
std::vector<unsigned char> shuffled(const std::vector<unsigned char> &samples, std::size_t size) {
    std::vector<unsigned char> bytes(samples.size());
    const auto count = samples.size() / size;
    for (std::size_t byte = 0; byte < size; byte++)
        for (std::size_t i = 0; i < count; i++)
            bytes[byte * count + i] = samples[i * size + byte];
    return bytes;
}

void compress(ChunkToWrite &chunk, std::uint64_t chunk_bytes, std::size_t sample_size, unsigned level) {
    std::vector<unsigned char> whole(chunk_bytes);
    std::memcpy(whole.data(), chunk.data, chunk.bytes);
    if (level > 0) {
        const auto bytes = sample_size > 1 ? shuffled(whole, sample_size) : whole;
        auto size = compressBound(static_cast<uLong>(bytes.size()));
        chunk.store.resize(size);
        if (compress2(chunk.store.data(), &size, bytes.data(), static_cast<uLong>(bytes.size()),
                      static_cast<int>(level)) == Z_OK &&
            size < chunk_bytes) {
            chunk.store.resize(size);
            chunk.data = chunk.store.data();
            chunk.bytes = size;
            return;
        }
        chunk.filters_left_out = 3;
    }
    chunk.store = std::move(whole);
    chunk.data = chunk.store.data();
    chunk.bytes = chunk_bytes;
}

} // namespace

ChunkLayout chunk_layout(const ArrayInfo &plane, unsigned level) {
    // A chunk must stay below 4 GiB; a larger image is cut in rows. Compressed chunks are small enough for
    // several threads to have one each.
    const std::uint64_t most = level > 0 ? 1 << 20 : std::numeric_limits<std::uint32_t>::max();
    const auto row_bytes = std::uint64_t{plane.width} * plane.sample_size();
    return {static_cast<unsigned>(std::clamp<std::uint64_t>(most / row_bytes, 1, plane.height)), level};
}

ChunkedPage cut_into_chunks(const ArrayInfo &plane, const void *samples, const ChunkLayout &layout) {
    const auto row_bytes = std::uint64_t{plane.width} * plane.sample_size();
    const auto chunk_bytes = layout.rows * row_bytes;
    ChunkedPage page{layout, {}};
    for (unsigned row = 0; row < plane.height; row += layout.rows)
        page.chunks.push_back({row, static_cast<const unsigned char *>(samples) + row * row_bytes,
                               std::min(layout.rows, plane.height - row) * row_bytes});
    std::vector<ChunkToWrite *> work;
    for (auto &chunk : page.chunks)
        if (layout.level > 0 || chunk.bytes < chunk_bytes)
            work.push_back(&chunk);
    share_work(work.size(), std::thread::hardware_concurrency(),
               [&](std::size_t i) { compress(*work[i], chunk_bytes, plane.sample_size(), layout.level); });
    return page;
}

} // namespace tomo::io

#endif // HAVE_HDF5
