// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The memory of one device: a budget, and blocks that are kept for reuse.
#pragma once

#include <gst/tomo/device/cl.hpp>
#include <gst/tomo/support/error.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tomo {

struct Block;

// How long an allocation waits for memory that other users hold.
enum class Patience {
    limited, // as long as memory comes back, and some seconds more, so that a graph that waits for itself
             // fails
    endless, // the stream is paused: no memory comes back until it goes on
    none,    // the stream is being flushed or stopped
};
using AskPatience = std::function<Patience()>; // called repeatedly, without a lock

class GST_TOMO_API BlockPool {
  public:
    // Makes a block of this size; null if the device has no room.
    using Make = std::function<std::unique_ptr<Block>(std::size_t)>;

    // `device` is the name of the device, `largest` the most bytes of one block, `limit` the most bytes of
    // all blocks.
    BlockPool(const std::string &device, std::size_t largest, std::size_t limit, Make make);
    // A part of another pool, from which it takes its blocks: both limits count.
    static std::shared_ptr<BlockPool> part_of(const std::shared_ptr<BlockPool> &whole, std::size_t limit);
    ~BlockPool();
    BlockPool(const BlockPool &) = delete;
    BlockPool &operator=(const BlockPool &) = delete;

    // If the budget is spent, waits until other users give memory back; throws Error if that can't happen.
    std::unique_ptr<Block> take(std::size_t size, const AskPatience &ask);
    void give(std::unique_ptr<Block> block) noexcept;
    void trim(); // releases the blocks kept for reuse
    std::size_t in_use() const;
    std::size_t limit() const { return limit_; }

  private:
    using Blocks = std::multimap<std::size_t, std::unique_ptr<Block>>;

    BlockPool(const std::shared_ptr<BlockPool> &whole, std::size_t limit);
    std::unique_ptr<Block> make(std::size_t size, const AskPatience &ask);
    void drop(Blocks &blocks) noexcept;
    void trim_parts();

    const std::string device_;
    const std::size_t largest_, limit_;
    const Make make_;
    const std::shared_ptr<BlockPool> whole_; // of which this is a part; else null

    mutable std::mutex lock_;
    std::condition_variable freed_;
    Blocks free_;
    std::vector<std::weak_ptr<BlockPool>> parts_;
    std::size_t taken_ = 0;        // bytes in use
    std::size_t free_size_ = 0;    // bytes kept for reuse
    std::uint64_t given_back_ = 0; // number of blocks so far
};

// Whether an error, perhaps one that came by a bus, says that a pool has no room.
GST_TOMO_API bool is_out_of_device_memory(const Error &error);

// The limit of a device in bytes: GST_TOMO_MEMORY_LIMIT, else a part of its memory.
std::size_t memory_limit_of(cl_device_id id, bool shares_host_memory);

} // namespace tomo
