// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projections, kept in the order of sinograms.
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <memory>
#include <vector>

namespace tomo {

// Grows in blocks. These lie on the device as long as half of its budget stays free for computing, and in the
// system's memory from there on.
class GST_TOMO_API ProjectionStore {
  public:
    explicit ProjectionStore(Compute &owner) : owner_(owner) {}

    // Forgets everything. `expected` projections will come, 0 when that is not known.
    void begin(const ArrayInfo &projection, unsigned expected);
    void add(const Array &projection);
    unsigned count() const { return count_; }
    // Row y of all projections, one below the other; the planes of a deep projection become planes.
    void copy_sinogram(unsigned y, Array &out);
    // Forgets the projections but keeps the memory.
    void rewind() { count_ = 0; }
    void clear();

  private:
    // The rows of `capacity` projections: those of row y, plane z begin at ((y * depth + z) * capacity) rows.
    struct Block {
        unsigned capacity;
        Array on_device;
        std::unique_ptr<char[]> on_host; // where there is no on_device
    };

    Block make_block() const;
    Array try_device(const ArrayInfo &shape) const;
    std::size_t row_of(const Block &block, unsigned y, unsigned z) const {
        return (std::size_t{y} * projection_.depth + z) * block.capacity * row_;
    }
    void copy_blocks(unsigned y, Array &out, bool of_host) const;

    Compute &owner_;
    ArrayInfo projection_;
    std::size_t row_ = 0; // bytes
    unsigned expected_ = 0;
    unsigned count_ = 0;
    std::vector<Block> blocks_;
};

} // namespace tomo
