// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "append.hpp"
#include <gst/files/stream-pyramid.hpp>

#include <optional>
#include <vector>

// The pyramid beside a dataset NAME of images x rows x columns: NAME_2x, NAME_4x, ... with means of 2 x 2 x 2
// samples of the one before. Level 0 is the dataset itself. The caller of functions holds Hdf5Lock.
namespace tomo::io {

std::string hdf5_level_name(const std::string &dataset, unsigned level);

void hdf5_remove_levels(hid_t file, const std::string &dataset);
// Gives the levels of one dataset the names of those of another one, which has none.
void hdf5_move_levels(hid_t file, const std::string &from, const std::string &to);

// Levels that are being written beside the dataset of a target. They have the name of the dataset as it is
// called at the time.
class Hdf5Levels {
  public:
    Hdf5Levels(Hdf5Target &target, const WriteOptions &options) : target_(target), options_(options) {}

    // With Hdf5Lock: makes the levels or opens those that are there, and adds what is missing of the images
    // of the dataset.
    void begin(const StreamPyramid &pyramid, ImageDataset &images, const std::optional<ValueRange> &grey);
    // Without it.
    void write(unsigned level, const void *samples);
    void complete();
    // With it.
    bool read(unsigned level, std::uint64_t image, void *samples) {
        return levels_.at(level - 1).read(image, samples);
    }
    // Closes the levels, and calls them as the dataset will be called at the end. Levels of an older dataset
    // of this name go.
    void name();
    // After a failure: leaves whole images.
    void cut_to_whole_images();
    void close() { levels_.clear(); }

    std::string full_name(unsigned level) const {
        return target_.location().file + ":" + hdf5_level_name(target_.dataset(), level);
    }

  private:
    void open(const StreamPyramid &pyramid);
    ImageDataset make(unsigned level, const ArrayInfo &image, const std::optional<ValueRange> &grey);
    void add_missing(unsigned level, ImageDataset &from);

    Hdf5Target &target_;
    const WriteOptions &options_;
    std::vector<ImageDataset> levels_; // from level 1 on
};

} // namespace tomo::io
