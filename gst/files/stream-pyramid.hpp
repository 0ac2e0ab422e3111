// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace tomo::io {

// The levels of the pyramid of a stream of images, computed by the threads that bring the images. Level 0 is
// the stream itself; image i of a level is the mean of images 2 i and 2 i + 1 of the level before, see
// halve().
class StreamPyramid {
  public:
    using Samples = std::shared_ptr<const void>;
    using Visit = std::function<void(unsigned level, const ArrayInfo &image, const void *samples)>;

    // Levels go on until rows and columns are 64 at most.
    explicit StreamPyramid(const ArrayInfo &image);

    unsigned levels() const { return static_cast<unsigned>(images_.size()); } // with level 0
    const ArrayInfo &image(unsigned level) const { return images_[level]; }

    // Takes an image of level 0, of which it keeps no more than a copy. Any thread may call it.
    void put(std::uint64_t number, const void *samples);
    // Takes an image of a level that an earlier run wrote, where the next one of that level still comes.
    void put_back(unsigned level, std::uint64_t number, Samples samples) {
        put(level, number, std::move(samples), true);
    }

    // The images that are whole now that those of level 0 up to `number` are, the larger ones first. Called
    // for each number, in order.
    void take(std::uint64_t number, const Visit &visit);
    // The images at the end, which are made of fewer than two of the level before, where so many came.
    void take_rest(std::uint64_t images, const Visit &visit);

  private:
    using Place = std::pair<unsigned, std::uint64_t>; // level and number

    void put(unsigned level, std::uint64_t number, Samples samples, bool was_there);
    // The mean of an image and of the next one, which may be null.
    Samples halved(unsigned level, const void *first, const void *second) const;
    Samples claim(unsigned level, std::uint64_t number); // with the lock; null if it is not waiting

    std::vector<ArrayInfo> images_; // of each level
    std::mutex lock_;
    std::map<Place, Samples> waiting_; // for the other one of their pairs
    std::map<Place, Samples> whole_;   // until take()
};

} // namespace tomo::io
