// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/reconstruction/job.hpp>
#include <gst/tomo/graph/event-thread.hpp>
#include <gst/tomo/support/references.hpp>

namespace tomo::reconstruction {

// Runs jobs in a thread, one after the other. Events are JSON texts.
class JobThread : public EventThread<std::string> {
  public:
    using EventThread::EventThread;
    ~JobThread() { leave_thread(); }

    void start(const Settings &settings);
    // Calls `work` with a job in the thread of the caller; take() gets its events as well.
    template <class Work>
    auto with_job(const Settings &settings, Work work) {
        const auto job = make_job(settings);
        const Current current(*this, job.get());
        return work(*job);
    }
    void finish();
    void abort();
    void pause(bool is_paused);
    void ask_preview(const std::string &path);
    // Obeys a command; if it is none, an event tells so.
    void obey(const std::string &written);
    // Of the last run, if it went into memory; null if there is none. Transfer full.
    GstSample *take_result();
    GstSample *preview();

  private:
    // The job that finish() and abort() act on.
    struct Current {
        JobThread &owner;
        Current(JobThread &of, Job *job);
        ~Current();
    };

    std::unique_ptr<Job> make_job(const Settings &settings);
    void run(std::unique_ptr<Job> job);
    void tell(const Json &event);
    // What is not of the job: behind its first event, and before its last one, or never.
    void tell_within(const Json &event);

    Job *job_ = nullptr;
    std::mutex order_; // of events; taken before lock_
    std::vector<std::string> waiting_;
    bool has_begun_ = false, is_told_ = false;
    SampleRef result_;
};

} // namespace tomo::reconstruction
