// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

namespace tomo::io {

// Whole images of a virtual dataset that lie in another dataset, in the same order.
struct Hdf5VirtualPart {
    std::uint64_t first, count, step; // of the virtual dataset
    std::string master;         // file of the virtual dataset
    std::string file, dataset;  // names of the source, as the virtual dataset stores them
    std::uint64_t source_first, source_step;

    bool has(std::uint64_t image) const {
        return image >= first && (image - first) % step == 0 && (image - first) / step < count;
    }
    std::uint64_t in_source(std::uint64_t image) const {
        return source_first + (image - first) / step * source_step;
    }

    // Path of `file`; empty if it does not exist. `by_library`: the path at which the library finds it.
    std::string path(bool by_library = false) const;
};

// The parts that hold all images; empty if the dataset has another structure, which only the library can
// read.
std::vector<Hdf5VirtualPart> hdf5_virtual_parts(hid_t dataset);

// The first missing source of a virtual dataset, file or dataset, in quotes; empty if all exist.
std::string hdf5_missing_source(hid_t dataset);

} // namespace tomo::io
