// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "parts.hpp"
#include "target.hpp"
#include <gst/files/stream-pyramid.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tomo::io {

// The pyramid beside a dataset in several files. One more file holds all levels: level 1 as its dataset,
// whose images are made of pairs of images on their way to the other files, in the threads that write it, and
// further ones as the levels of that dataset.
class Hdf5PartsLevels {
  public:
    // `there` images of level 0 are in their files, with resume. `options` are those of a part.
    Hdf5PartsLevels(const ArrayInfo &page, const Location &file, const WriteOptions &options,
                    const std::function<StreamLength()> &length, std::uint64_t there,
                    const OpenPart &open_part);

    // Images of level 0 whose means an earlier run has written.
    std::uint64_t images_there() const { return images_there_; }
    void set_range(const ValueRange &range) { target_->set_range(range); }
    // The next image of level 0; an empty one is there already, and so are its means.
    void add(const std::optional<ImageToWrite> &image);
    void settle() { target_->settle(); }
    void finish();
    void abandon() { target_->abandon(); }

    // Makes virtual datasets of the levels beside the dataset of the target, which has so many images. With
    // Hdf5Lock. `source` is the file's name in them.
    static void join(Hdf5Target &target, const ArrayInfo &page, std::uint64_t images,
                     const std::string &source, const std::string &dataset,
                     const std::optional<ValueRange> &grey);

  private:
    void add_means_of(std::vector<ImageToWrite> images);

    const StreamPyramid pyramid_;
    std::unique_ptr<ImageTarget> target_;
    std::optional<ImageToWrite> first_; // of a pair
    std::uint64_t images_ = 0, images_there_ = 0;
};

} // namespace tomo::io
