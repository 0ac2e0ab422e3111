// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

#ifdef HAVE_HDF5

#include "hdf5-compress.hpp"
#include "file-format.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <future>
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

void compress_chunks(std::vector<ChunkToWrite> &chunks, std::uint64_t chunk_bytes, std::size_t sample_size,
                     unsigned level) {
    std::vector<ChunkToWrite *> work;
    for (auto &chunk : chunks)
        if (level > 0 || chunk.bytes < chunk_bytes)
            work.push_back(&chunk);
    std::atomic<std::size_t> next{0};
    const auto share = [&] {
        for (auto i = next++; i < work.size(); i = next++)
            compress(*work[i], chunk_bytes, sample_size, level);
    };
    std::vector<std::future<void>> others;
    const auto threads = std::min<std::size_t>(work.size(), std::thread::hardware_concurrency());
    for (std::size_t i = 1; i < threads; i++)
        others.push_back(std::async(std::launch::async, share));
    share();
    for (auto &other : others)
        other.get();
}

} // namespace tomo::io

#endif // HAVE_HDF5
