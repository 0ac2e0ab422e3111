// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Decompression of chunks by any number of threads, without the library's lock.
#pragma once

#include "file.hpp"

namespace tomo::io {

struct Hdf5Filter {
    H5Z_filter_t id;
    std::vector<unsigned> values;
};

// Whether decode_chunk() knows it: deflate, shuffle, LZ4 (32004) and bitshuffle (32008, alone or with LZ4).
bool can_decode(const Hdf5Filter &filter);

// Whether the filter keeps the number of bytes.
bool keeps_size(const Hdf5Filter &filter);

// The packages with a plugin for the filter, for messages; empty if unknown.
std::string hdf5_packages_of_filter(H5Z_filter_t id);

// Undoes the filters, so that exactly `size` bytes stand at `destination`. `filters` are in the order in
// which they were applied; all but the last keep the size. Bits of `skipped` mark filters that were not
// applied to this chunk. Throws if the bytes are damaged. Any thread may call it.
void decode_chunk(const std::vector<Hdf5Filter> &filters, unsigned skipped, const void *stored,
                  std::size_t stored_size, void *destination, std::size_t size);

} // namespace tomo::io
