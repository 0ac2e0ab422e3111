// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "chunk-group.hpp"
#include "file-format.hpp"
#include "share-work.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace tomo::io {

namespace {

std::size_t parts_of(std::size_t length, std::size_t part) { return (length + part - 1) / part; }

// The system gives more memory than there is, and ends the process that uses it.
bool is_more_than_memory(std::uint64_t bytes) {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 &&
           bytes / static_cast<std::uint64_t>(page) >= static_cast<std::uint64_t>(pages);
}

} // namespace

// Memory of zeros costs no time before it is used, and what lies beyond the edge of an image stays 0.
ChunkGroup::ChunkGroup(const ArrayInfo &image, std::size_t rows, std::size_t columns, unsigned most_images,
                       const std::string &where)
    : image_(image), rows_(rows), columns_(columns), across_(parts_of(image.width, columns)),
      down_(parts_of(image.height, rows)), plane_bytes_(rows * columns * image.sample_size()),
      most_images_(most_images) {
    std::uint64_t bytes = 0;
    if (multiply({across_ * down_, most_images, plane_bytes_}, bytes) && !is_more_than_memory(bytes))
        samples_.reset(static_cast<char *>(std::calloc(bytes, 1)));
    if (!samples_)
        throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    text("'%s': there is no memory for %u images of %s, of which a row of chunks is made; "
                         "make chunks of fewer images",
                         where.c_str(), most_images, image.describe().c_str()));
}

// Calls visit(offset in a group of one image, offset in the image, bytes).
template <class Visit>
void ChunkGroup::for_each_row_of_chunk(std::size_t from_row, std::size_t to_row, Visit visit) const {
    const auto size = image_.sample_size(), row_bytes = image_.width * size,
               chunk_row_bytes = columns_ * size;
    for (std::size_t y = from_row; y < to_row; y++)
        for (std::size_t x = 0; x < across_; x++)
            visit((y / rows_ * across_ + x) * column_bytes() + y % rows_ * chunk_row_bytes,
                  y * row_bytes + x * chunk_row_bytes,
                  std::min(chunk_row_bytes, row_bytes - x * chunk_row_bytes));
}

void ChunkGroup::put(unsigned image, const void *samples, std::size_t from_row, std::size_t to_row) {
    char *to = samples_.get() + image * plane_bytes_;
    const auto *from = static_cast<const char *>(samples);
    for_each_row_of_chunk(from_row, to_row,
                          [&](std::size_t in_group, std::size_t in_image, std::size_t bytes) {
                              std::memcpy(to + in_group, from + in_image, bytes);
                          });
}

void ChunkGroup::put_by_threads(unsigned image, const void *samples) {
    constexpr std::uint64_t bytes_of_band = 1 << 20; // for less, a thread does not pay
    const auto bands = std::clamp<std::size_t>(image_.size() / bytes_of_band, 1, threads_for_writing());
    share_work(bands, threads_for_writing(), [&](std::size_t band) {
        put(image, samples, image_.height * band / bands, image_.height * (band + 1) / bands);
    });
}

void ChunkGroup::get(unsigned image, void *samples) const {
    const char *from = samples_.get() + image * plane_bytes_;
    auto *to = static_cast<char *>(samples);
    for_each_row_of_chunk(0, image_.height,
                          [&](std::size_t in_group, std::size_t in_image, std::size_t bytes) {
                              std::memcpy(to + in_image, from + in_group, bytes);
                          });
}

void ChunkGroup::clear_from(unsigned image) {
    for (std::size_t column = 0; column < columns(); column++)
        std::memset(planes_of(column) + image * plane_bytes_, 0, (most_images_ - image) * plane_bytes_);
}

} // namespace tomo::io
