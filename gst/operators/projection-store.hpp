// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projections, kept in the order of sinograms.
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <memory>
#include <vector>

namespace tomo {

// Grows in blocks. Blocks lie on the device as long as half of its budget stays free for computing; further
// blocks lie in the host's memory.
class GST_TOMO_API ProjectionStore {
  public:
    explicit ProjectionStore(Compute &owner) : owner_(owner) {}

    // Drops all projections. `expected` is the number of projections to come, 0 if it is not known.
    void begin(const ArrayInfo &projection, unsigned expected);
    void add(const Array &projection);
    unsigned count() const { return count_; }
    // Copies row y of all projections into `out`, one below the other; planes of a projection stay planes.
    void copy_sinogram(unsigned y, Array &out);
    // Drops the projections but keeps the memory.
    void rewind() { count_ = 0; }
    void clear();

  private:
    // The rows of `capacity` projections. The rows y of plane z begin at row (y * depth + z) * capacity.
    struct Block {
        unsigned capacity;
        Array on_device;
        std::unique_ptr<char[]> on_host; // used if on_device is empty
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
