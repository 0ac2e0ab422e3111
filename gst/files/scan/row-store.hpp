// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rows of all images of a scan in memory, for files that give some rows at the price of the whole image:
// compressed ones, and those that are opened for each read.
#pragma once

#include <gst/files/stored-frame.hpp>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace tomo::io {

// For any number of threads, which share the reading of a block between them. It must outlive the blocks that
// it gives.
class RowStore {
  public:
    // Some rows of all images.
    struct Scan {
        std::size_t images = 0, row_bytes = 0;
        unsigned rows = 0;
        // The first image of each group that one thread reads, and the number of images.
        std::vector<std::size_t> groups;
    };
    // The place of the first row of an image.
    using Place = std::function<char *(std::size_t image)>;
    // Reads rows of the images from `first` to before `end`, `row_bytes` apart.
    using ReadRows = std::function<void(std::size_t first, std::size_t end, unsigned first_row, unsigned rows,
                                        const Place &to)>;

    // Null where `most_bytes` have no room for blocks of several stacks, each of `stack` rows, in which the
    // rows are asked for. Then each stack costs all images anyway.
    static std::shared_ptr<RowStore> make(const Scan &scan, unsigned stack, std::uint64_t most_bytes);

    // The rows of a block, image by image.
    class Block {
      public:
        const char *row(std::size_t image, unsigned row) const;

      private:
        friend class RowStore;
        unsigned number_ = 0;
        std::size_t row_bytes_ = 0;
        unsigned first_ = 0, rows_ = 0;
        std::vector<std::unique_ptr<char[]>> images_;
        std::size_t begun_ = 0, ended_ = 0; // groups that are read
        std::exception_ptr error_;
        bool is_behind_ = false;                       // the stream is somewhere else
        unsigned users_ = 0;                           // threads that read it or its rows
        std::map<unsigned, std::set<unsigned>> given_; // parts, by the first row of the stack
        unsigned stacks_given_ = 0;                    // those with all parts
    };

    // The block with the stack from `row` on, one part of `parts` of which the caller wants; this thread
    // helps to read the block where it isn't there yet. It is freed once all parts of its stacks were given,
    // and the pointers are gone. Throws what reading it threw in any thread, and Flushing if it is cancelled.
    std::shared_ptr<const Block> get(unsigned row, unsigned part, unsigned parts, const ReadRows &read,
                                     const IsCancelled &is_cancelled);

    // Of all blocks, now.
    std::uint64_t bytes() const;

  private:
    RowStore(const Scan &scan, unsigned stack, unsigned block_rows);
    std::shared_ptr<Block> open(unsigned number, std::unique_lock<std::mutex> &lock,
                                const IsCancelled &is_cancelled);
    void read_groups(Block &block, std::unique_lock<std::mutex> &lock, const ReadRows &read,
                     const IsCancelled &is_cancelled);
    void note_given(Block &block, unsigned row, unsigned part, unsigned parts) const;
    void leave(Block &block);
    void free_unused();

    const Scan scan_;
    const unsigned stack_, block_rows_;
    mutable std::mutex lock_; // over the blocks but for their samples
    std::condition_variable changed_;
    std::list<std::shared_ptr<Block>> blocks_; // at most two
};

} // namespace tomo::io
