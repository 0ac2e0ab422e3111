// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/operators/device-worker.hpp>
#include <gst/tomo/device/device.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/threads.hpp>

namespace tomo {

DeviceWorker::DeviceWorker(Compute &owner, std::shared_ptr<Device> device, Failed failed)
    : compute_(owner, std::move(device)), failed_(std::move(failed)),
      thread_(start_thread([this] { run(); })) {}

DeviceWorker::~DeviceWorker() { stop(); }

void DeviceWorker::stop() {
    {
        const std::lock_guard<std::mutex> lock(lock_);
        is_over_ = true;
        compute_.stop();
        tasks_.clear();
    }
    changed_.notify_all();
    if (thread_.joinable())
        thread_.join();
}

// The host may be a few projections ahead, as fits() of volume operators counts them.
void DeviceWorker::post(std::function<void()> task) {
    constexpr std::size_t most = 2;
    std::unique_lock<std::mutex> lock(lock_);
    changed_.wait(lock, [&] { return tasks_.size() < most || failure_; });
    tell_failure(lock);
    tasks_.push_back(std::move(task));
    changed_.notify_all();
}

void DeviceWorker::wait() {
    std::unique_lock<std::mutex> lock(lock_);
    changed_.wait(lock, [&] { return (tasks_.empty() && !is_busy_) || failure_; });
    tell_failure(lock);
}

void DeviceWorker::tell_failure(std::unique_lock<std::mutex> &lock) const {
    if (!failure_)
        return;
    const auto failure = failure_;
    lock.unlock(); // who listens may call others
    try {
        std::rethrow_exception(failure);
    } catch (const Error &e) {
        if (failed_)
            failed_(device());
        throw Error(e.domain, e.code,
                    text("%s (on device %u, %s)", e.what(), device().index(), device().name().c_str()),
                    e.debug);
    }
}

void DeviceWorker::run() {
    std::unique_lock<std::mutex> lock(lock_);
    while (true) {
        changed_.wait(lock, [&] { return is_over_ || (!tasks_.empty() && !failure_); });
        if (is_over_)
            return;
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        is_busy_ = true;
        lock.unlock();
        std::exception_ptr failure;
        try {
            task();
        } catch (...) {
            failure = std::current_exception();
        }
        task = {}; // what it held is free
        lock.lock();
        is_busy_ = false;
        if (failure)
            failure_ = failure;
        changed_.notify_all();
    }
}

} // namespace tomo
