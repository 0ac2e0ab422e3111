// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "row-store.hpp"

#include <algorithm>

namespace tomo::io {

RowStore::RowStore(std::size_t images, std::size_t row_bytes, unsigned rows, unsigned unit,
                   std::uint64_t most_bytes)
    : images_(images), row_bytes_(row_bytes), rows_(rows) {
    // Threads that are ahead read the next block while others still use this one.
    const auto room = most_bytes / 2 / (images * row_bytes) / unit * unit;
    const auto most = std::max<std::uint64_t>(room, unit);
    // Blocks of about the same size.
    const auto blocks = (rows + most - 1) / most;
    const auto even = (rows + blocks - 1) / blocks;
    block_rows_ = static_cast<unsigned>((even + unit - 1) / unit * unit);
}

const char *RowStore::Block::row(std::size_t image, unsigned row) const {
    return images_[image].get() + (row - first_) * row_bytes_;
}

std::shared_ptr<const RowStore::Block> RowStore::get(unsigned row, const ReadRows &read) {
    const unsigned number = row / block_rows_;
    std::unique_lock<std::mutex> lock(lock_);
    auto &place = blocks_[number];
    if (!place) {
        place = std::make_shared<Block>();
        place->row_bytes_ = row_bytes_;
        place->first_ = number * block_rows_;
        place->rows_ = std::min(block_rows_, rows_ - place->first_);
        place->images_.resize(images_);
    }
    const auto block = place;
    // Those behind which the stream is; threads that are still at one hold it.
    std::erase_if(blocks_,
                  [&](const auto &other) { return other.first + 1 < number || other.first > number + 1; });
    while (block->begun_ < images_ && !block->error_) {
        const auto image = block->begun_++;
        lock.unlock();
        try {
            auto samples = std::make_unique_for_overwrite<char[]>(block->rows_ * row_bytes_);
            read(image, block->first_, block->rows_, samples.get());
            lock.lock();
            block->images_[image] = std::move(samples);
        } catch (...) {
            lock.lock();
            if (!block->error_)
                block->error_ = std::current_exception();
            blocks_.erase(number); // the next one to ask tries again
        }
        block->ended_++;
        changed_.notify_all();
    }
    changed_.wait(lock, [&] { return block->ended_ == images_ || block->error_; });
    if (block->error_)
        std::rethrow_exception(block->error_);
    return block;
}

} // namespace tomo::io
