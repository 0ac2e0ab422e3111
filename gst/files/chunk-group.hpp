// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

namespace tomo::io {

// Images that follow each other, arranged as they are in the chunks of a volume: all planes of a column of
// chunks, which has the same rows and columns of all images, lie behind each other. A chunk at an edge has
// its full size, and zeros where there is no image.
class ChunkGroup {
  public:
    // Each chunk has `rows` and `columns` of an image. `where` names the volume in errors.
    ChunkGroup(const ArrayInfo &image, std::size_t rows, std::size_t columns, unsigned most_images,
               const std::string &where);

    std::size_t columns() const { return across_ * down_; } // of chunks
    unsigned row_of(std::size_t column) const { return static_cast<unsigned>(column / across_ * rows_); }
    unsigned column_of(std::size_t column) const {
        return static_cast<unsigned>(column % across_ * columns_);
    }
    char *planes_of(std::size_t column) { return samples_.get() + column * column_bytes(); }
    const char *planes_of(std::size_t column) const { return samples_.get() + column * column_bytes(); }
    std::size_t column_bytes() const { return most_images_ * plane_bytes_; }

    // Puts an image at a place. Threads may put several at a time.
    void put(unsigned image, const void *samples) { put(image, samples, 0, image_.height); }
    // The same, by several threads.
    void put_by_threads(unsigned image, const void *samples);
    // Gives back an image that was put.
    void get(unsigned image, void *samples) const;
    // Makes all planes from this image on zeros.
    void clear_from(unsigned image);

  private:
    void put(unsigned image, const void *samples, std::size_t from_row, std::size_t to_row);
    template <class Visit>
    void for_each_row_of_chunk(std::size_t from_row, std::size_t to_row, Visit visit) const;

    const ArrayInfo image_;
    const std::size_t rows_, columns_, across_, down_; // of a chunk; chunks of an image
    const std::size_t plane_bytes_;                    // of a chunk
    const unsigned most_images_;
    struct Free {
        void operator()(char *samples) const { std::free(samples); }
    };
    std::unique_ptr<char, Free> samples_;
};

} // namespace tomo::io
