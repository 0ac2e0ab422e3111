// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/compute/compute.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace tomo {

// A device that works for a Compute, its owner, which may be on another device, with a thread that gives it
// tasks. It waits for memory as the owner does, and gives up long work when the owner does.
class GST_TOMO_API DeviceWorker {
  public:
    using Failed = std::function<void(const Device &)>;

    // `failed` is called just before a function throws the error of a task.
    DeviceWorker(Compute &owner, std::shared_ptr<Device> device, Failed failed = {});
    ~DeviceWorker();

    // For tasks, and for others while no task is under way.
    Compute &compute() { return compute_; }
    const Compute &compute() const { return compute_; }
    const Device &device() const { return *compute_.device(); }

    // Waits while two tasks have not begun. Both throw what a task threw, and the device; behind such a task
    // no other one begins.
    void post(std::function<void()> task);
    void wait(); // until all tasks have ended
    // Drops tasks that have not begun, and ends the thread.
    void stop();

  private:
    class Computing final : public Compute {
      public:
        Computing(Compute &owner, std::shared_ptr<Device> device)
            : Compute(std::move(device), owner.tag()), owner_(owner) {}
        Patience patience() const override { return is_over_ ? Patience::none : owner_.patience(); }
        bool is_result_wanted() const override { return !is_over_ && owner_.is_result_wanted(); }
        void stop() { is_over_ = true; }

      private:
        Compute &owner_;
        std::atomic<bool> is_over_{false};
    };

    void tell_failure(std::unique_lock<std::mutex> &lock) const;
    void run();

    Computing compute_;
    const Failed failed_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    bool is_busy_ = false, is_over_ = false;
    std::exception_ptr failure_;
    std::thread thread_; // last
};

} // namespace tomo
