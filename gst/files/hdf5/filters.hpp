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

// Whether as many bytes come out as went in.
bool keeps_size(const Hdf5Filter &filter);

// Where a plugin for a filter comes from, for messages; empty where nobody knows.
std::string hdf5_packages_of_filter(H5Z_filter_t id);

// Undoes the filters, given in the order in which they were applied and of which all but the last keep the
// size, so that exactly `size` bytes stand at `destination`. Bits of `skipped` are those of filters that this
// chunk did without. Throws where the bytes are damaged. For any thread.
void decode_chunk(const std::vector<Hdf5Filter> &filters, unsigned skipped, const void *stored,
                  std::size_t stored_size, void *destination, std::size_t size);

} // namespace tomo::io
