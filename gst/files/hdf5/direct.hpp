// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Images of a dataset read from the file by any number of threads at once: the library says where the bytes
// are, and nothing more.
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
    // Null where only the library can read the dataset: another layout, filters or types to convert. With the
    // lock held.
    static std::unique_ptr<Hdf5Direct> open(hid_t dataset, const Hdf5SampleType &sample);

    // Rows `first`, `first + step`, ... and columns of an image that exist.
    void read(std::uint64_t image, const RowRegion &rows, unsigned first_column, unsigned columns,
              void *destination, std::size_t row_stride);
    std::uint64_t rows_per_chunk() const { return chunk_rows_; }
    bool is_chunked() const { return chunked_; }
    std::uint64_t images_per_chunk() const { return chunk_images_; }
    // Whether all chunks of the image are there; takes the lock.
    bool is_stored(std::uint64_t image) const;
    // The dataset may grow: the handle that it was opened with is not used any more, but one for each look.
    void follow(std::function<Hdf5Handle()> open);

  private:
    Hdf5Direct(hid_t dataset, const std::string &file) : dataset_(dataset), file_(file) {}
    bool find_chunks(hid_t creation, hid_t type);
    Hdf5Locator::Place place(std::uint64_t image, std::uint64_t row, std::uint64_t column) const;
    void read_rows(std::uint64_t image, const RowRegion &rows, unsigned first_column, unsigned columns,
                   char *to, std::size_t row_stride) const;
    void read_chunks(std::uint64_t image, const RowRegion &rows, unsigned first_column, unsigned columns,
                     char *to, std::size_t row_stride) const;
    void read_chunk(std::uint64_t image, std::uint64_t row, std::uint64_t column, char *to) const;

    const hid_t dataset_; // of the owner
    std::unique_ptr<Hdf5Locator> locator_;
    std::function<Hdf5Handle()> reopen_; // where the dataset grows
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
    std::vector<char> fill_;                // of a sample in chunks that are not there
    std::shared_ptr<Hdf5ChunkCache> cache_; // where a chunk has parts of several images
};

} // namespace tomo::io
