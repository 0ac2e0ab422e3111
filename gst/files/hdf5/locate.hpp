// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "file.hpp"

#include <memory>
#include <optional>

namespace tomo::io {

// Places of a dataset's chunks in its file. H5Dget_chunk_info_by_coord() walks through the whole index for
// each chunk, so the time for all grows with the square of their number. When the library reads a chunk, it
// looks it up directly. So this class lets the library read through a driver that records the place and reads
// nothing.
//
// Only for files that do not change. The caller holds the library's lock.
class Hdf5Locator {
  public:
    struct Place {
        std::uint64_t address = 0, bytes = 0; // 0 bytes: the chunk was never written
        unsigned skipped = 0;                 // bits of filters that were not applied
    };

    // Null if the file can't be opened once more.
    static std::unique_ptr<Hdf5Locator> open(hid_t dataset);

    // The place of the chunk whose first sample is at `corner`. Empty if there is no index yet, or a damaged
    // one.
    std::optional<Place> find(const hsize_t *corner) const;

  private:
    Hdf5Handle file_, dataset_;
};

} // namespace tomo::io
