// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "grey-mapping.hpp"

#include <gst/tomo/device/array.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace tomo::io {

// An image on its way into a file. Its samples are packed; the first thread that asks for them fetches or
// computes them.
class ImageToWrite {
  public:
    using Samples = std::shared_ptr<const void>;

    ImageToWrite(const ArrayInfo &info, std::function<Samples()> make);
    // Of integers that stand for the values of a range.
    ImageToWrite(const ArrayInfo &info, std::function<Samples()> make, const ValueRange &grey);
    // Refers to samples that outlive this object.
    ImageToWrite(const ArrayInfo &info, const void *samples);

    const ArrayInfo &info() const { return info_; }
    const void *samples() const;
    // Includes the data from which the samples are made.
    std::uint64_t bytes_in_memory() const { return bytes_in_memory_; }

    // For integers that stand for other values: the values of the smallest and the largest integer. Known
    // once the samples are made, and part of the file.
    std::optional<ValueRange> grey() const;

    // Whether the image came as integers that stand for other values.
    bool came_as_grey() const { return shared_->came_as_grey; }

    ImageToWrite plane(unsigned number) const;
    // The three planes red, green and blue as interleaved pixels. Throws if there are not three planes.
    ImageToWrite interleaved() const;
    // An image that `make` writes to `to`, of the samples of these images, which stand for the same values.
    using Make = std::function<void(const std::vector<const void *> &from, void *to)>;
    static ImageToWrite made_of(std::vector<ImageToWrite> images, const ArrayInfo &to, Make make);
    // An image of the samples that `convert` writes to `to`. `convert` returns the grey() of the new image,
    // which may be this one's.
    using Convert = std::function<std::optional<ValueRange>(const void *from, void *to)>;
    ImageToWrite converted(const ArrayInfo &to, Convert convert) const;

  private:
    struct Shared {
        std::function<Samples()> make;
        std::mutex lock;
        Samples samples;
        std::optional<ValueRange> grey;
        bool came_as_grey = false;
    };

    ArrayInfo info_;
    std::shared_ptr<Shared> shared_;
    std::uint64_t offset_ = 0; // of a plane, in bytes
    std::uint64_t bytes_in_memory_;
};

} // namespace tomo::io
