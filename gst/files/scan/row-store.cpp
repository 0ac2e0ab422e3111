// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "row-store.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <chrono>

namespace tomo::io {

// Threads that are ahead read the next block while others still use this one.
constexpr unsigned most_blocks = 2;

std::shared_ptr<RowStore> RowStore::make(const Scan &scan, unsigned stack, std::uint64_t most_bytes) {
    const auto room = most_bytes / most_blocks / (scan.images * scan.row_bytes) / stack;
    const auto stacks = (scan.rows + stack - 1) / stack;
    // One block needs no second one.
    const auto all_fit = most_bytes / (scan.images * scan.row_bytes) >= scan.rows;
    if (stacks < 2 || (room < 2 && !all_fit))
        return {};
    // Blocks of about the same size.
    const auto blocks = all_fit ? 1 : (stacks + room - 1) / room;
    const auto in_block = (stacks + blocks - 1) / blocks;
    return std::shared_ptr<RowStore>(new RowStore(scan, stack, static_cast<unsigned>(in_block * stack)));
}

RowStore::RowStore(const Scan &scan, unsigned stack, unsigned block_rows)
    : scan_(scan), stack_(stack), block_rows_(block_rows) {}

const char *RowStore::Block::row(std::size_t image, unsigned row) const {
    return images_[image].get() + (row - first_) * row_bytes_;
}

std::shared_ptr<const RowStore::Block> RowStore::get(unsigned row, unsigned part, unsigned parts,
                                                     const ReadRows &read, const IsCancelled &is_cancelled) {
    std::unique_lock<std::mutex> lock(lock_);
    auto block = open(row / block_rows_, lock, is_cancelled);
    block->users_++;
    try {
        read_groups(*block, lock, read, is_cancelled);
    } catch (...) {
        leave(*block);
        throw;
    }
    note_given(*block, row, part, parts);
    return {block.get(), [this, block](const Block *) {
                const std::lock_guard<std::mutex> guard(lock_);
                leave(*block);
            }};
}

std::shared_ptr<RowStore::Block> RowStore::open(unsigned number, std::unique_lock<std::mutex> &lock,
                                                const IsCancelled &is_cancelled) {
    for (;;) {
        for (const auto &block : blocks_)
            block->is_behind_ |= block->number_ + 1 < number || block->number_ > number + 1;
        free_unused();
        for (const auto &block : blocks_)
            if (block->number_ == number && !block->is_behind_ && !block->error_)
                return block;
        if (blocks_.size() < most_blocks)
            break;
        // Those who use the others go on without this thread.
        if (is_cancelled())
            throw Flushing();
        changed_.wait_for(lock, std::chrono::milliseconds(50));
    }
    const auto block = std::make_shared<Block>();
    block->number_ = number;
    block->row_bytes_ = scan_.row_bytes;
    block->first_ = number * block_rows_;
    block->rows_ = std::min(block_rows_, scan_.rows - block->first_);
    block->images_.resize(scan_.images);
    blocks_.push_back(block);
    return block;
}

void RowStore::read_groups(Block &block, std::unique_lock<std::mutex> &lock, const ReadRows &read,
                           const IsCancelled &is_cancelled) {
    const auto groups = scan_.groups.size() - 1;
    while (block.begun_ < groups && !block.error_) {
        // What is left is read by others who want it.
        if (is_cancelled())
            throw Flushing();
        const auto group = block.begun_++;
        lock.unlock();
        try {
            const auto first = scan_.groups[group], end = scan_.groups[group + 1];
            for (auto image = first; image < end; image++)
                block.images_[image] = std::make_unique_for_overwrite<char[]>(block.rows_ * scan_.row_bytes);
            read(first, end, block.first_, block.rows_,
                 [&](std::size_t image) { return block.images_[image].get(); });
            lock.lock();
        } catch (...) {
            lock.lock();
            if (!block.error_) // the next one to ask tries again
                block.error_ = std::current_exception();
        }
        block.ended_++;
        changed_.notify_all();
    }
    changed_.wait(lock, [&] { return block.ended_ == groups || block.error_; });
    if (block.error_)
        std::rethrow_exception(block.error_);
}

void RowStore::note_given(Block &block, unsigned row, unsigned part, unsigned parts) const {
    auto &given = block.given_[row];
    const bool was_all = given.size() == parts;
    given.insert(part);
    if (!was_all && given.size() == parts)
        block.stacks_given_++;
}

void RowStore::leave(Block &block) {
    block.users_--;
    free_unused();
    changed_.notify_all();
}

void RowStore::free_unused() {
    std::erase_if(blocks_, [&](const auto &block) {
        const bool is_used_up = block->stacks_given_ == (block->rows_ + stack_ - 1) / stack_;
        return block->users_ == 0 && (is_used_up || block->is_behind_ || block->error_);
    });
}

std::uint64_t RowStore::bytes() const {
    const std::lock_guard<std::mutex> lock(lock_);
    std::uint64_t bytes = 0;
    for (const auto &block : blocks_)
        bytes += std::uint64_t{block->rows_} * scan_.row_bytes * scan_.images;
    return bytes;
}

} // namespace tomo::io
