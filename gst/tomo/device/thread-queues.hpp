// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The compute queues of a device, one for each thread.
#pragma once

#include <gst/tomo/device/cl.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace tomo {

class GST_TOMO_API ThreadQueues {
  public:
    explicit ThreadQueues(std::function<ClQueue()> make) : make_(std::move(make)) {}
    ThreadQueues(const ThreadQueues &) = delete;
    ThreadQueues &operator=(const ThreadQueues &) = delete;

    // The queue of the calling thread, which releases it for other threads when it ends.
    cl_command_queue of_this_thread();
    std::vector<ClQueue> all();

    struct Entry;

  private:
    const std::function<ClQueue()> make_;
    std::mutex lock_;
    std::vector<std::shared_ptr<Entry>> queues_;
};

} // namespace tomo
