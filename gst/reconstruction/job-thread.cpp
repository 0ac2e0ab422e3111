// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/job-thread.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/forked.hpp>
#include <gst/tomo/support/threads.hpp>

#include <utility>

namespace tomo::reconstruction {

namespace {

// As others read it, who take UTF-8 alone: names of files may have other bytes.
std::string line_of(const Json &event) {
    const auto line = event.written(false);
    return CString(g_utf8_make_valid(line.data(), static_cast<gssize>(line.size()))).get();
}

[[noreturn]] void busy() {
    throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_BUSY, "the reconstruction is running already");
}

} // namespace

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
    return std::make_unique<Job>(settings, [this](const Json &event) { tell(event); });
}

void JobThread::tell(const Json &event) {
    std::lock_guard<std::mutex> order(order_);
    push(line_of(event));
    has_begun_ = true;
    for (const auto &each : std::exchange(waiting_, {}))
        push(each);
    is_told_ = event.text_of("event") == "done";
}

void JobThread::tell_within(const Json &event) {
    std::lock_guard<std::mutex> order(order_);
    if (!has_begun_)
        waiting_.push_back(line_of(event));
    else if (!is_told_)
        push(line_of(event));
}

void JobThread::start(const Settings &settings) {
    use_threads();
    join_after_end();
    std::lock_guard<std::mutex> thread_lock(thread_lock_);
    auto job = make_job(settings);
    std::lock_guard<std::mutex> order(order_);
    std::lock_guard<std::mutex> lock(lock_);
    if (running_ || job_ || thread_.joinable())
        busy();
    events_.clear();
    error_.reset();
    result_ = {};
    waiting_.clear();
    has_begun_ = is_told_ = false;
    Job *current = job.get();
    thread_ = start_thread(
        [this, shared = std::make_shared<std::unique_ptr<Job>>(std::move(job))] { run(std::move(*shared)); });
    job_ = current;
    running_ = true;
}

void JobThread::run(std::unique_ptr<Job> job) {
    const auto error = error_of_work([&] { job->run(); });
    {
        std::lock_guard<std::mutex> lock(lock_);
        if (auto *result = job->take_result())
            result_ = SampleRef(result);
        job_ = nullptr;
    }
    job.reset();
    finish_work(error, [] {});
}

GstSample *JobThread::take_result() {
    std::lock_guard<std::mutex> lock(lock_);
    if (job_ && !result_)
        return job_->take_result();
    return result_.release();
}

GstSample *JobThread::preview() {
    std::lock_guard<std::mutex> lock(lock_);
    return job_ ? job_->preview() : nullptr;
}

void JobThread::pause(bool is_paused) {
    std::lock_guard<std::mutex> lock(lock_);
    if (job_)
        job_->pause(is_paused);
}

void JobThread::ask_preview(const std::string &path) {
    std::lock_guard<std::mutex> lock(lock_);
    if (job_)
        job_->ask_preview(path);
}

void JobThread::obey(const std::string &written) {
    try {
        DriverCommand(written).steer(*this);
    } catch (const Error &e) {
        tell_within(message_event("error", e.what()));
    }
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

} // namespace tomo::reconstruction
