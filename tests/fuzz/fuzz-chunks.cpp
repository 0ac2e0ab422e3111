// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "input.hpp"

#ifdef HAVE_HDF5

#include <gst/files/hdf5/filters.hpp>

namespace fuzz {

// Number of filters and bits of skipped ones, each filter with its values, size of the chunk, and what is
// stored.
void decode_chunks(Input chunk) {
    static constexpr int known[] = {H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, 32004, 32008};
    const unsigned head = chunk.byte(), skipped = head >> 4;
    std::vector<tomo::io::Hdf5Filter> filters;
    for (unsigned i = 0; i < (head & 3); i++) {
        const unsigned choice = chunk.byte();
        tomo::io::Hdf5Filter filter{known[choice & 3], {}};
        for (unsigned value = 0; value < (choice >> 2 & 7); value++) {
            filter.values.push_back(chunk.byte());
            filter.values.back() |= chunk.byte() << 8;
        }
        if (!can_decode(filter))
            return;
        filters.push_back(filter);
    }
    std::size_t size = chunk.byte();
    size |= chunk.byte() << 8;
    std::vector<unsigned char> decoded(size + 1);
    const std::vector<unsigned char> stored(chunk.data(),
                                            chunk.data() + chunk.left()); // alone, for the sanitizer
    decode_chunk(filters, skipped, stored.data(), stored.size(), decoded.data(), decoded.size());
}

} // namespace fuzz

#else

void fuzz::decode_chunks(Input) {}

#endif
