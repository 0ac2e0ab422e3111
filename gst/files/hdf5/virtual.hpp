// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

namespace tomo::io {

// Whole images of a virtual dataset that lie in another dataset, in the same order.
struct Hdf5VirtualPart {
    std::uint64_t first, count; // of the virtual dataset
    std::string master;         // its file
    std::string file, dataset;  // as it names them
    std::uint64_t source_first;

    // Where `file` is; empty where it is nowhere. `by_library`: where the library finds it.
    std::string path(bool by_library = false) const;
};

// All images, as far as they come in such parts; nothing where something is put together otherwise, which
// only the library can read.
std::vector<Hdf5VirtualPart> hdf5_virtual_parts(hid_t dataset);

// The first file or dataset that a virtual dataset needs and that is not there, quoted; empty where all are.
std::string hdf5_missing_source(hid_t dataset);

} // namespace tomo::io
