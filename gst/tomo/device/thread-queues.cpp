// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/thread-queues.hpp>

#include <algorithm>
#include <atomic>

namespace tomo {

struct ThreadQueues::Entry {
    ClQueue queue;
    std::atomic<bool> taken{true};
};

namespace {

// The queues of a thread, given back to their devices when the thread ends.
struct QueuesOfThread {
    struct Known {
        const ThreadQueues *owner;
        std::weak_ptr<ThreadQueues::Entry> queue;
    };
    std::vector<Known> entries;

    ~QueuesOfThread() {
        for (auto &entry : entries)
            if (auto queue = entry.queue.lock())
                queue->taken = false;
    }
};
thread_local QueuesOfThread queues_of_thread;

} // namespace

cl_command_queue ThreadQueues::of_this_thread() {
    must_not_be_forked();
    for (const auto &entry : queues_of_thread.entries)
        if (entry.owner == this)
            if (const auto queue = entry.queue.lock())
                return queue->queue.get();

    std::lock_guard<std::mutex> lock(lock_);
    auto free = std::find_if(queues_.begin(), queues_.end(), [](const auto &q) { return !q->taken; });
    std::shared_ptr<Entry> queue;
    if (free != queues_.end()) {
        queue = *free;
        queue->taken = true;
    } else {
        queue = std::make_shared<Entry>();
        queue->queue = make_();
        queues_.push_back(queue);
    }
    auto &entries = queues_of_thread.entries;
    entries.erase(
        std::remove_if(entries.begin(), entries.end(), [](const auto &e) { return e.queue.expired(); }),
        entries.end());
    entries.push_back({this, queue});
    return queue->queue.get();
}

std::vector<ClQueue> ThreadQueues::all() {
    std::lock_guard<std::mutex> lock(lock_);
    std::vector<ClQueue> all;
    for (const auto &queue : queues_)
        all.push_back(queue->queue);
    return all;
}

} // namespace tomo
