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

namespace tomo::io {

// An image on its way into a file. Its samples are packed, and fetched or computed by the thread that first
// asks for them.
class ImageToWrite {
  public:
    using Samples = std::shared_ptr<const void>;

    ImageToWrite(const ArrayInfo &info, std::function<Samples()> make);
    // Of samples that outlive it.
    ImageToWrite(const ArrayInfo &info, const void *samples);

    const ArrayInfo &info() const { return info_; }
    const void *samples() const;
    // With all that the samples are made from.
    std::uint64_t bytes_in_memory() const { return bytes_in_memory_; }

    // For integers that stand for other values: those of the smallest and the largest one. Known with the
    // samples, and part of the file.
    std::optional<ValueRange> grey() const;

    ImageToWrite plane(unsigned number) const;
    // Three planes of red, green and blue as pixels of these; throws where there are not three.
    ImageToWrite interleaved() const;
    // What `convert` makes of the samples. It returns grey(), or that of this one if it does not change it.
    using Convert = std::function<std::optional<ValueRange>(const void *from, void *to)>;
    ImageToWrite converted(const ArrayInfo &to, Convert convert) const;

  private:
    struct Shared {
        std::function<Samples()> make;
        std::mutex lock;
        Samples samples;
        std::optional<ValueRange> grey;
    };

    ArrayInfo info_;
    std::shared_ptr<Shared> shared_;
    std::uint64_t offset_ = 0; // of a plane, in bytes
    std::uint64_t bytes_in_memory_;
};

} // namespace tomo::io
