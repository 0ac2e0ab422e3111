// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tomo::io {

// Runs jobs in several threads: work() of each at any time, run_in_order() one after the other in the order
// in which the jobs were added. After a job that throws, no run_in_order() is called any more.
class OrderedWork {
  public:
    class Job {
      public:
        virtual ~Job() = default;
        virtual void work() = 0;
        virtual void run_in_order() = 0;
        // That it still holds after work(), where it holds less then.
        virtual std::uint64_t bytes_after_work() const { return UINT64_MAX; }
    };

    using Report = std::function<void(std::exception_ptr)>;

    // Unfinished jobs hold at most `most_bytes` together; a single job may be larger. `report` is called, in
    // one of the threads, with the exception of the first job that fails. Throws if the system has no threads
    // left.
    OrderedWork(unsigned threads, std::uint64_t most_bytes, Report report = {});
    ~OrderedWork(); // waits until all jobs are done
    OrderedWork(const OrderedWork &) = delete;
    OrderedWork &operator=(const OrderedWork &) = delete;

    // Waits for room. Throws the reported exception, as settle() does.
    void add(std::unique_ptr<Job> job, std::uint64_t bytes);
    // Waits until all jobs are done.
    void settle();

  private:
    struct Entry {
        std::unique_ptr<Job> job;
        std::uint64_t bytes;
        std::exception_ptr error;
        bool worked = false;
    };
    using Lock = std::unique_lock<std::mutex>;

    OrderedWork(std::uint64_t most_bytes, Report report); // without threads
    void run();
    void let_go(Entry &entry);
    void take_turns(Lock &lock);
    void fail(Lock &lock, std::exception_ptr error);

    const std::uint64_t most_bytes_;
    const Report report_;
    std::mutex mutex_; // for all members below but the threads
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Entry>> entries_; // in order, until their run_in_order() has ended
    std::deque<std::shared_ptr<Entry>> waiting_; // jobs that no thread has taken
    std::uint64_t bytes_ = 0;
    std::exception_ptr error_;
    bool taking_turns_ = false, ending_ = false;
    std::vector<std::thread> threads_;
};

} // namespace tomo::io
