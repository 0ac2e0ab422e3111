// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "level.hpp"

#include <gst/files/chunk-sizes.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace tomo::io {

// All levels of an image of OME-Zarr that is being written. Images come in groups. A group is written
// together with its part of the next levels, as far as it has whole images of them; the small levels behind
// these are made of the last one when all images are there. So what an interrupted run leaves needs nothing
// but a number of images.
class ZarrVolume {
  public:
    // Throws if there can't be such chunks. A group holds about `most_bytes`.
    ZarrVolume(const std::string &folder, const ArrayInfo &image, const ChunkSizes &chunks, bool pyramid,
               std::uint64_t most_bytes);

    std::size_t levels() const { return levels_.size(); }
    const ZarrGrid &grid(std::size_t level) const { return levels_[level].grid(); }
    unsigned images_of_group() const { return images_of_group_; }

    // The group of level 0 that begins with this image, with samples of an earlier one or zeros.
    std::shared_ptr<ZarrGroup> group(std::uint64_t first) { return group(0, first); }
    // Writes the first `images` of a group of level 0, in several threads.
    void write(const ZarrGroup &group, unsigned images);
    // Makes the small levels.
    void finish(std::uint64_t images);

    // The descriptions of the levels, as names in the folder and contents, where level 0 has so many images.
    std::vector<std::pair<std::string, std::string>> descriptions(std::uint64_t images) const;

  private:
    std::shared_ptr<ZarrGroup> group(std::size_t level, std::uint64_t first);
    void write_columns(const ZarrGroup &group, unsigned images, ZarrGroup *next) const;
    void make_level(std::size_t number, std::uint64_t images_before);

    std::deque<ZarrLevel> levels_;
    unsigned images_of_group_ = 1;
    std::size_t levels_of_group_ = 1; // with at least one image of each group
    std::mutex lock_;
    std::vector<std::vector<std::unique_ptr<ZarrGroup>>> spare_; // of each level
};

} // namespace tomo::io
