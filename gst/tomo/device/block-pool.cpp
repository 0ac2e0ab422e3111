// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/block-pool.hpp>
#include <gst/tomo/device/memory.hpp>
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/support/bytes.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace tomo {

// Errors of pools begin so, behind the name of an element.
static constexpr char no_room[] = "out of memory on ";

bool is_out_of_device_memory(const Error &error) {
    return error.domain == GST_RESOURCE_ERROR && error.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT &&
           std::string_view(error.what()).find(no_room) != std::string_view::npos;
}

// The host needs room of its own, so a device that shares its memory takes half of it.
std::size_t memory_limit_of(cl_device_id id, bool shares_host_memory) {
    if (const char *given = g_getenv("GST_TOMO_MEMORY_LIMIT")) {
        if (const auto size = bytes_of(given))
            return *size;
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("GST_TOMO_MEMORY_LIMIT=%s is no size; %s", given, wanted_bytes));
    }
    const auto total = cl_query<cl_ulong>(clGetDeviceInfo, id, CL_DEVICE_GLOBAL_MEM_SIZE);
    return static_cast<std::size_t>(static_cast<double>(total) * (shares_host_memory ? 0.5 : 0.85));
}

BlockPool::BlockPool(const std::string &device, std::size_t largest, std::size_t limit, Make make)
    : device_(device), largest_(largest), limit_(limit), make_(std::move(make)) {}

BlockPool::BlockPool(const std::shared_ptr<BlockPool> &whole, std::size_t limit)
    : device_(whole->device_), largest_(whole->largest_), limit_(std::min(limit, whole->limit_)),
      whole_(whole) {}

std::shared_ptr<BlockPool> BlockPool::part_of(const std::shared_ptr<BlockPool> &whole, std::size_t limit) {
    const std::shared_ptr<BlockPool> part(new BlockPool(whole, limit));
    std::lock_guard<std::mutex> lock(whole->lock_);
    std::erase_if(whole->parts_, [](const auto &one) { return one.expired(); });
    whole->parts_.push_back(part);
    return part;
}

BlockPool::~BlockPool() { drop(free_); }

std::unique_ptr<Block> BlockPool::make(std::size_t size, const AskPatience &ask) {
    return whole_ ? whole_->take(size, ask) : make_(size);
}

void BlockPool::drop(Blocks &blocks) noexcept {
    if (whole_)
        for (auto &[size, block] : blocks)
            whole_->give(std::move(block));
    blocks.clear();
}

// What parts keep for reuse counts here as in use.
void BlockPool::trim_parts() {
    std::vector<std::weak_ptr<BlockPool>> parts;
    {
        std::lock_guard<std::mutex> lock(lock_);
        parts = parts_;
    }
    for (const auto &one : parts)
        if (const auto part = one.lock())
            part->trim();
}

std::unique_ptr<Block> BlockPool::take(std::size_t size, const AskPatience &ask) {
    must_not_be_forked();
    size = std::max<std::size_t>(size, 1);
    if (size > largest_)
        throw Error(
            GST_RESOURCE_ERROR_NO_SPACE_LEFT,
            text(
                "%s%s: %zu bytes in one piece are more than it can allocate (%zu): use smaller images or slabs",
                no_room, device_.c_str(), size, largest_));
    if (size > limit_)
        throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                    text("%s%s: %zu bytes are more than the %zu bytes that may be used (%s)", no_room,
                         device_.c_str(), size, limit_,
                         whole_ ? "the memory limit of this context" : "GST_TOMO_MEMORY_LIMIT"));

    constexpr auto patience = std::chrono::seconds(10);
    constexpr auto look_again = std::chrono::milliseconds(50);
    auto deadline = std::chrono::steady_clock::now() + patience;

    Blocks dropped; // without the lock: the driver may wait for the device
    std::unique_lock<std::mutex> lock(lock_);
    auto given_before = given_back_;
    while (true) {
        const auto seen = given_back_;
        // Exact fits only: streams have one size, so nearly every request finds one after the first frames.
        if (auto fit = free_.find(size); fit != free_.end()) {
            auto block = std::move(fit->second);
            free_.erase(fit);
            free_size_ -= size;
            taken_ += size;
            block->forget_failures();
            return block;
        }
        while (!free_.empty() && taken_ + free_size_ + size > limit_) {
            free_size_ -= free_.begin()->first;
            dropped.insert(free_.extract(free_.begin()));
        }
        if (taken_ + size <= limit_) {
            taken_ += size;
            const std::size_t allocated = taken_ + free_size_;
            lock.unlock();
            drop(dropped); // before their memory is wanted
            std::unique_ptr<Block> block;
            try {
                block = make(size, ask);
                if (!block) {
                    trim();
                    block = make(size, ask);
                }
            } catch (...) {
                lock.lock();
                taken_ -= size;
                throw;
            }
            if (block) {
                if (const auto to = is_recording() ? recorder() : nullptr)
                    to->allocated(allocated);
                return block;
            }
            lock.lock();
            taken_ -= size;
        }
        // Whoever is asked may take locks, and even memory of this device.
        lock.unlock();
        drop(dropped); // others may get their memory while this thread waits
        trim_parts();
        const auto left = ask ? ask() : Patience::limited;
        if (left == Patience::none)
            throw Flushing();
        lock.lock();
        if (given_back_ != given_before || left == Patience::endless)
            deadline = std::chrono::steady_clock::now() + patience;
        given_before = given_back_;
        if (given_back_ != seen)
            continue;
        if (taken_ == 0 || std::chrono::steady_clock::now() > deadline)
            throw Error(
                GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                text(
                    "%s%s: %zu bytes wanted, %zu of %zu in use and none given back; use fewer or smaller queues, "
                    "or process in parts",
                    no_room, device_.c_str(), size, taken_, limit_));
        freed_.wait_for(lock, look_again, [&] { return given_back_ != seen; });
    }
}

void BlockPool::give(std::unique_ptr<Block> block) noexcept {
    if (is_forked()) // a thread that is not in this process may hold the lock
        return;
    {
        std::lock_guard<std::mutex> lock(lock_);
        taken_ -= block->size;
        given_back_++;
        free_size_ += block->size;
        const std::size_t size = block->size;
        free_.emplace(size, std::move(block));
    }
    freed_.notify_all();
}

void BlockPool::trim() {
    Blocks dropped;
    {
        std::lock_guard<std::mutex> lock(lock_);
        dropped.swap(free_);
        free_size_ = 0;
    }
    drop(dropped);
}

std::size_t BlockPool::in_use() const {
    std::lock_guard<std::mutex> lock(lock_);
    return taken_;
}

} // namespace tomo
