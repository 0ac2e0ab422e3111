// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/job.hpp>

#include <condition_variable>
#include <deque>
#include <optional>
#include <thread>

namespace tomo::reconstruction {

// Runs jobs in a thread, one after the other. Events wait until take() is called.
class JobThread {
  public:
    // `announce` is called whenever take() has a new event; the thread calls `finished` last of all.
    JobThread(std::function<void()> announce, std::function<void()> finished)
        : announce_(std::move(announce)), finished_(std::move(finished)) {}
    ~JobThread();

    void start(const Settings &settings);
    // Calls `work` with a job in the thread of the caller; take() gets its events as well.
    template <class Work>
    auto with_job(const Settings &settings, Work work) {
        const auto job = make_job(settings);
        const Current current(*this, job.get());
        return work(*job);
    }
    bool is_running() const;
    void finish();
    void abort();

    // The next event, as JSON text.
    std::optional<std::string> take();
    // Waits for an event (true), for the end of the job without any (false), or at most `patience`.
    bool wait(std::optional<std::chrono::milliseconds> patience = {});
    // After the end: waits until the thread is gone.
    void settle();
    // The error of the job that ended, if it failed.
    std::optional<Error> error() const;

  private:
    // The job that finish() and abort() act on.
    struct Current {
        JobThread &owner;
        Current(JobThread &of, Job *job);
        ~Current();
    };

    std::unique_ptr<Job> make_job(const Settings &settings);
    void push(const Json &event);
    void run(std::unique_ptr<Job> job);

    const std::function<void()> announce_, finished_;
    mutable std::mutex lock_;
    std::condition_variable wake_;
    std::deque<std::string> events_;
    Job *job_ = nullptr;
    bool running_ = false;
    std::optional<Error> error_;
    std::mutex thread_lock_; // taken before lock_
    std::thread thread_;
};

} // namespace tomo::reconstruction
