// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/support/references.hpp>

#include <vector>

namespace tomo {

// Copies of arrays in the host's memory, with the facts about them. Their memory is taken in blocks of
// several arrays.
class KeptArrays {
  public:
    struct Kept {
        ArrayInfo info;
        BufferRef buffer;
    };

    // Throws Error if more than `most` bytes would be kept, 0: half of the machine's memory.
    void add(GstBuffer *buffer, const ArrayInfo &info, std::uint64_t most, unsigned per_block);
    const std::vector<Kept> &arrays() const { return arrays_; }
    // Leaves nothing behind.
    std::vector<Kept> take();
    void clear() { take(); }

  private:
    void take_block(const ArrayInfo &info, std::uint64_t most, unsigned per_block);

    std::vector<Kept> arrays_;
    std::shared_ptr<char> block_;                         // that is being filled
    std::uint64_t room_ = 0, block_size_ = 0, taken_ = 0; // bytes
};

// How much an element may keep.
class MemoryLimit {
  public:
    explicit MemoryLimit(Element *owner)
        : property_(owner, "limit", Automatic{0}, {0, G_MAXUINT64}, When::ready,
                    "Bytes of memory at most; 0: half of the machine's") {}
    operator std::uint64_t() const { return property_; }

  private:
    Property<std::uint64_t> property_;
};

} // namespace tomo
