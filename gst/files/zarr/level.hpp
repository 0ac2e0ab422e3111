// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "array.hpp"

#include <gst/files/chunk-group.hpp>
#include <gst/files/halving.hpp>

#include <string>

namespace tomo::io {

// A level that is being written: an array whose number of images is known at the end. Any number of threads
// may write columns of chunks, each its own.
class ZarrLevel {
  public:
    // `grid` has no images yet.
    ZarrLevel(const std::string &folder, const ZarrGrid &grid) : folder_(folder), grid_(grid) {}

    const std::string &folder() const { return folder_; }
    const ZarrGrid &grid() const { return grid_; }
    ArrayInfo image() const { return grid_.image(); }
    // Columns of chunks that stand behind each other: all chunks of the same rows and columns.
    std::size_t columns() const { return grid_.chunks_along(1) * grid_.chunks_along(2); }
    // Writes planes of such a column, which follow each other in memory, from image `first` on.
    void write(std::size_t column, std::uint64_t first, unsigned images, const char *planes) const;

  private:
    const std::string folder_;
    const ZarrGrid grid_;
};

// Images of a level that follow each other, arranged as they are in the chunks.
class ZarrGroup : public ChunkGroup {
  public:
    ZarrGroup(const ZarrLevel &level, unsigned most_images);

    // Number of the first image in the level.
    std::uint64_t first = 0;

    const ZarrLevel &level() const { return level_; }
    void write(std::size_t column, unsigned images) const {
        level_.write(column, first, images, planes_of(column));
    }
    // Puts the means of images of one column of chunks into a group of the next level.
    void halve_column(std::size_t column, unsigned images, ZarrGroup &to) const;

  private:
    const ZarrLevel &level_;
};

} // namespace tomo::io
