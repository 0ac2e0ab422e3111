// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reads images of a dataset from the file by any number of threads at once. The library only tells the place
// of the bytes.
#pragma once

#include "filters.hpp"
#include "locate.hpp"
#include "types.hpp"
#include <gst/files/image-reader.hpp>
#include <gst/files/input-file.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace tomo::io {

class Hdf5ChunkCache;

class Hdf5Direct {
  public:
    // Null if only the library can read the dataset: unknown layout or filters, or types to convert. The
    // caller holds the lock.
    static std::unique_ptr<Hdf5Direct> open(hid_t dataset, const Hdf5SampleType &sample);

    // Reads the rows of the region and these columns of an image, all of which must exist.
    void read(std::uint64_t image, const RowRegion &rows, unsigned first_column, unsigned columns,
              void *destination, std::size_t row_stride);
    bool is_chunked() const { return chunked_; }
    std::uint64_t images_per_chunk() const { return chunk_images_; }
    // Whether all chunks of the image are stored. Takes the lock.
    bool is_stored(std::uint64_t image) const;
    // The dataset may grow: from now on `open` gives a new handle for each query, and the first one is not
    // used any more.
    void follow(std::function<Hdf5Handle()> open);

  private:
    Hdf5Direct(hid_t dataset, const std::string &file) : dataset_(dataset), file_(file) {}
    bool find_chunks(hid_t creation, hid_t type);
    Hdf5Locator::Place place(std::uint64_t image, std::uint64_t row, std::uint64_t column) const;
    void read_rows(std::uint64_t address, std::size_t bytes, std::uint64_t count, unsigned step,
                   std::size_t file_stride, char *to, std::size_t row_stride) const;
    void read_chunks(std::uint64_t image, const RowRegion &rows, unsigned first_column, unsigned columns,
                     char *to, std::size_t row_stride) const;
    void read_chunk(std::uint64_t image, std::uint64_t row, std::uint64_t column, char *to) const;

    const hid_t dataset_; // of the owner
    std::unique_ptr<Hdf5Locator> locator_;
    std::function<Hdf5Handle()> reopen_; // set if the dataset may grow
    InputFile file_;
    std::string where_;
    std::size_t rank_ = 0;
    std::uint64_t width_ = 0, height_ = 0;
    std::size_t sample_ = 0; // bytes
    std::size_t unit_ = 0;   // bytes to reverse, 0 for none
    bool chunked_ = false;
    std::uint64_t address_ = 0; // of contiguous data
    std::uint64_t chunk_images_ = 1, chunk_rows_ = 1, chunk_columns_ = 1;
    std::size_t chunk_bytes_ = 0;
    std::vector<Hdf5Filter> filters_;
    std::vector<char> fill_;                // value of a sample in chunks that are not stored
    std::shared_ptr<Hdf5ChunkCache> cache_; // used if a chunk has parts of several images
};

} // namespace tomo::io
