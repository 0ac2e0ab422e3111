// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rows of all images of a scan in memory, for files that give some rows at the price of the whole image:
// compressed ones, and those that are opened for each read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace tomo::io {

// For any number of threads, which share the reading of a block between them.
class RowStore {
  public:
    // Rows of an image that follow each other, `row_bytes` apart.
    using ReadRows = std::function<void(std::size_t image, unsigned first_row, unsigned rows, void *to)>;

    // Blocks of as many rows as `most_bytes` allow for all images; blocks are multiples of `unit` rows, but
    // for the last one.
    RowStore(std::size_t images, std::size_t row_bytes, unsigned rows, unsigned unit,
             std::uint64_t most_bytes);

    // The rows of a block, image by image.
    class Block {
      public:
        const char *row(std::size_t image, unsigned row) const;

      private:
        friend class RowStore;
        std::size_t row_bytes_ = 0;
        unsigned first_ = 0, rows_ = 0;
        std::vector<std::unique_ptr<char[]>> images_;
        std::size_t begun_ = 0, ended_ = 0; // images that are read
        std::exception_ptr error_;
    };

    // The block of the row, which this thread helps to read where it isn't there yet. Throws what reading it
    // threw in any thread.
    std::shared_ptr<const Block> get(unsigned row, const ReadRows &read);

  private:
    const std::size_t images_, row_bytes_;
    const unsigned rows_;
    unsigned block_rows_;
    std::mutex lock_; // over the blocks but for their samples
    std::condition_variable changed_;
    std::map<unsigned, std::shared_ptr<Block>> blocks_; // by number: those in use
};

} // namespace tomo::io
