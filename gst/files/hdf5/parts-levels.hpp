// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "parts.hpp"
#include "target.hpp"
#include <gst/files/ordered-work.hpp>
#include <gst/files/stream-pyramid.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tomo::io {

// The images of a level of a pyramid in several files: each has every n-th block of images that follow each
// other.
struct LevelBlocks {
    std::uint64_t images = 1; // of a block
    unsigned files = 1;

    unsigned file_of(std::uint64_t image) const { return static_cast<unsigned>(image / images % files); }
    // How many of the first `all` images are in a file.
    std::uint64_t in_file(unsigned file, std::uint64_t all) const;
    // The image behind those that a file has, where it has so many.
    std::uint64_t behind(unsigned file, std::uint64_t there) const {
        return (there / images * files + file) * images + there % images;
    }
};

// The pyramid beside a dataset in several files. Level 1 lies in files of its own, which are written side by
// side. One file more has level 2 as its dataset, and further levels as those of that dataset. Images are
// made of pairs of images on their way to the other files.
class Hdf5PartsLevels {
  public:
    // The name of file `number` of the pyramid.
    using Place = std::function<Location(unsigned number)>;

    // Files of the pyramid of a dataset in so many parts, at most.
    static unsigned most_files(unsigned parts);

    // `there` images of level 0 are in their files, with resume. `options` are those of a part, but for the
    // bytes under way.
    Hdf5PartsLevels(const ArrayInfo &page, unsigned parts, const Place &place, const WriteOptions &options,
                    const std::function<StreamLength()> &length, std::uint64_t there,
                    const OpenPart &open_part);
    ~Hdf5PartsLevels() { abandon(); }
    Hdf5PartsLevels(const Hdf5PartsLevels &) = delete;
    Hdf5PartsLevels &operator=(const Hdf5PartsLevels &) = delete;

    // Images of level 0 whose means an earlier run has written.
    std::uint64_t images_there() const { return images_there_; }
    void set_range(const ValueRange &range);
    // The next image of level 0; an empty one is there already, and so are its means.
    void add(const std::optional<ImageToWrite> &image);
    void settle();
    void finish();
    void abandon();

    // Behind finish(): makes virtual datasets of the levels beside the dataset of the target, which has so
    // many images. With Hdf5Lock. `source` gives the name of a file in them.
    void join(Hdf5Target &target, std::uint64_t images,
              const std::function<std::string(unsigned number)> &source, const std::string &dataset,
              const std::optional<ValueRange> &grey) const;

  private:
    // An image of level 1, and of its part in one of level 2.
    class Mean;

    std::vector<ImageTarget *> files() const; // that are open
    void close();
    void add_mean_of(std::vector<ImageToWrite> images);
    void write(std::optional<ImageToWrite> mean);
    void write_smaller(std::vector<ImageToWrite> images);
    ImageToWrite mean_of(unsigned level, std::vector<ImageToWrite> images) const;

    const StreamPyramid pyramid_;
    LevelBlocks blocks_;                                // of level 1
    std::vector<std::unique_ptr<ImageTarget>> level_1_; // its files
    std::unique_ptr<ImageTarget> smaller_;              // the levels behind it, where there are some
    std::optional<ImageToWrite> first_;                 // of a pair
    std::uint64_t images_ = 0, images_there_ = 0;
    // In the threads of the work, in order:
    std::optional<ImageToWrite> first_mean_; // of a pair
    std::uint64_t means_ = 0;
    std::unique_ptr<OrderedWork> work_;
};

} // namespace tomo::io
