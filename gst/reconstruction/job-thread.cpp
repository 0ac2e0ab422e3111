// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/job-thread.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/support/forked.hpp>
#include <gst/tomo/support/threads.hpp>

namespace tomo::reconstruction {

namespace {

[[noreturn]] void busy() {
    throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_BUSY, "the reconstruction is running already");
}

} // namespace

JobThread::~JobThread() {
    if (!thread_.joinable())
        return;
    if (is_forked()) // the thread is not in this process, and must neither be joined nor detached
        static_cast<void>(std::make_unique<std::thread>(std::move(thread_)).release());
    else if (thread_.get_id() == std::this_thread::get_id()) // it dropped the last reference of its owner
        thread_.detach();
    else
        thread_.join();
}

JobThread::Current::Current(JobThread &of, Job *job) : owner(of) {
    std::lock_guard<std::mutex> lock(owner.lock_);
    if (owner.running_ || owner.job_)
        busy();
    owner.job_ = job;
}

JobThread::Current::~Current() {
    std::lock_guard<std::mutex> lock(owner.lock_);
    owner.job_ = nullptr;
}

std::unique_ptr<Job> JobThread::make_job(const Settings &settings) {
    return std::make_unique<Job>(settings, [this](const Json &event) { push(event); });
}

void JobThread::start(const Settings &settings) {
    use_threads();
    settle();
    std::lock_guard<std::mutex> thread_lock(thread_lock_);
    auto job = make_job(settings);
    std::lock_guard<std::mutex> lock(lock_);
    if (running_ || job_ || thread_.joinable())
        busy();
    events_.clear();
    error_.reset();
    Job *current = job.get();
    thread_ = start_thread(
        [this, shared = std::make_shared<std::unique_ptr<Job>>(std::move(job))] { run(std::move(*shared)); });
    job_ = current;
    running_ = true;
}

void JobThread::run(std::unique_ptr<Job> job) {
    std::optional<Error> error;
    try {
        job->run();
    } catch (const Error &e) {
        error = e;
    } catch (const std::exception &e) {
        error = Error(GST_LIBRARY_ERROR_FAILED, e.what());
    }
    {
        std::lock_guard<std::mutex> lock(lock_);
        error_ = error;
        job_ = nullptr;
        running_ = false;
        announce_();
    }
    job.reset();
    wake_.notify_all();
    const auto finished = finished_;
    finished(); // may end this object
}

bool JobThread::is_running() const {
    std::lock_guard<std::mutex> lock(lock_);
    return running_;
}

void JobThread::finish() {
    std::lock_guard<std::mutex> lock(lock_);
    if (job_)
        job_->finish();
}

void JobThread::abort() {
    std::lock_guard<std::mutex> lock(lock_);
    if (job_)
        job_->abort();
}

void JobThread::push(const Json &event) {
    {
        std::lock_guard<std::mutex> lock(lock_);
        events_.push_back(event.written(false));
        if (running_)
            announce_(); // before anybody can take it
    }
    wake_.notify_all();
}

std::optional<std::string> JobThread::take() {
    std::lock_guard<std::mutex> lock(lock_);
    if (events_.empty())
        return {};
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
}

bool JobThread::wait(std::optional<std::chrono::milliseconds> patience) {
    std::unique_lock<std::mutex> lock(lock_);
    const auto ready = [this] { return !events_.empty() || !running_; };
    if (patience)
        wake_.wait_for(lock, *patience, ready);
    else
        wake_.wait(lock, ready);
    return !events_.empty();
}

void JobThread::settle() {
    std::lock_guard<std::mutex> lock(thread_lock_);
    if (!is_running() && thread_.joinable())
        thread_.join();
}

std::optional<Error> JobThread::error() const {
    std::lock_guard<std::mutex> lock(lock_);
    return error_;
}

} // namespace tomo::reconstruction
