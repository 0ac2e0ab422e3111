// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

#include <memory>
#include <optional>

namespace tomo::io {

// Where a dataset's chunks are in its file. H5Dget_chunk_info_by_coord() walks through the whole index for
// each of them, so that the time for all goes with the square of their number; when it reads a chunk, the
// library looks it up directly. So it reads through a driver that remembers the place, and reads nothing.
//
// For files that nobody changes. All of it under the library's lock.
class Hdf5Locator {
  public:
    struct Place {
        std::uint64_t address = 0, bytes = 0; // none: the chunk was never written
        unsigned skipped = 0;                 // filters
    };

    // Null where the file can't be opened once more.
    static std::unique_ptr<Hdf5Locator> open(hid_t dataset);

    // The chunk whose first sample this is. Nothing where that can't be told in this way: there is no index
    // yet, or a damaged one.
    std::optional<Place> find(const hsize_t *corner) const;

  private:
    Hdf5Handle file_, dataset_;
};

} // namespace tomo::io
