// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/job.hpp>

#include <condition_variable>
#include <deque>
#include <optional>
#include <thread>

namespace tomo::reconstruction {

// One job after the other, in a thread; its events wait until somebody takes them.
class JobThread {
  public:
    // `announce` is called whenever take() has something new; `finished` as the last thing the thread does.
    JobThread(std::function<void()> announce, std::function<void()> finished)
        : announce_(std::move(announce)), finished_(std::move(finished)) {}
    ~JobThread();

    void start(const Settings &settings);
    // In the thread of the caller, whose events it gets as well.
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
    // Until there is an event (true), or no event and no job (false); or the time is over.
    bool wait(std::optional<std::chrono::milliseconds> patience = {});
    // After the end: until nothing of the thread is left.
    void settle();
    // Of the job that ended.
    std::optional<Error> error() const;

  private:
    // The one that is finished or aborted.
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
    std::mutex thread_lock_; // before lock_
    std::thread thread_;
};

} // namespace tomo::reconstruction
