// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "read-ahead.hpp"

#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/support/threads.hpp>

#include <algorithm>

namespace tomo::io {

// A device that shares the host's memory computes with the same processors.
static unsigned number_of_threads(bool shared) {
    return std::clamp(std::thread::hardware_concurrency(), 1u, shared ? 2u : 16u);
}

ReadAhead::ReadAhead(Element &owner, Locate locate, MakeReader make_reader, unsigned most_ahead)
    : owner_(owner), locate_(std::move(locate)), make_reader_(std::move(make_reader)),
      most_ahead_(most_ahead) {}

// The object is whole for C++ when the first constructor is through. So the destructor ends the threads that
// there are where there is none to be had for the next one.
ReadAhead::ReadAhead(Element &owner, Locate locate, MakeReader make_reader)
    : ReadAhead(owner, std::move(locate), std::move(make_reader),
                owner.device()->shares_host_memory() ? 4 : 32) {
    for (unsigned i = 0; i < number_of_threads(owner.device()->shares_host_memory()); i++)
        threads_.push_back(start_thread([this] { work(); }));
}

ReadAhead::~ReadAhead() {
    clear();
    {
        std::lock_guard<std::mutex> lock(lock_);
        ending_ = true;
    }
    changed_.notify_all();
    for (auto &thread : threads_)
        thread.join();
}

const StoredFrame *ReadAhead::plan(std::uint64_t number) {
    if (jobs_.empty() || jobs_.front()->frame.number != number) { // the first, or after a seek
        clear();
        if (!add(number))
            return nullptr;
    }
    const std::uint64_t bytes =
        std::min<std::uint64_t>(owner_.device()->memory_limit() / 16, std::uint64_t{1} << 30);
    const auto most = std::clamp<std::uint64_t>(bytes / jobs_.front()->frame.info.size(), 1, most_ahead_);
    try {
        while (jobs_.size() < most && add(jobs_.back()->frame.number + 1))
            continue;
    } catch (const Error &) {
        // Told when it is that frame's turn.
    }
    return &jobs_.front()->frame;
}

bool ReadAhead::add(std::uint64_t number) {
    auto frame = locate_(number);
    if (!frame)
        return false;
    jobs_.push_back(std::make_shared<Job>(std::move(*frame)));
    std::lock_guard<std::mutex> lock(lock_);
    waiting_.push_back(jobs_.back());
    changed_.notify_all();
    return true;
}

Array ReadAhead::take() {
    const auto number = jobs_.front()->frame.number;
    try {
        return wait_for_first();
    } catch (const Flushing &) {
        if (owner_.is_cancelled())
            throw;
    }
    // A flush that is over now kept it from being read.
    clear();
    if (!add(number))
        throw Error(
            GST_RESOURCE_ERROR_READ,
            text("image %" G_GUINT64_FORMAT " was there before a flush, and is not any more", number));
    return wait_for_first();
}

Array ReadAhead::wait_for_first() {
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    std::unique_lock<std::mutex> lock(lock_);
    changed_.wait(lock, [&] { return job->is_done(); });
    if (job->error)
        std::rethrow_exception(job->error);
    return std::move(job->array);
}

void ReadAhead::clear() {
    for (const auto &job : jobs_)
        job->is_abandoned = true;
    // Without the lock an array is given back, for which a device may wait.
    std::deque<std::shared_ptr<Job>> waiting;
    {
        std::lock_guard<std::mutex> lock(lock_);
        waiting.swap(waiting_);
    }
    jobs_.clear();
}

void ReadAhead::work() {
    FrameReader reader;
    std::shared_ptr<Job> job;
    std::unique_lock<std::mutex> lock(lock_);
    for (;;) {
        // An abandoned one ends here, as in clear().
        if (job) {
            lock.unlock();
            job.reset();
            lock.lock();
        }
        changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
        if (ending_)
            return;
        job = waiting_.front();
        const unsigned part = job->begun++;
        if (job->begun == job->frame.parts)
            waiting_.pop_front();
        const WorkFor work(owner_.gst());
        try {
            if (part == 0)
                prepare(*job, lock);
            changed_.wait(lock, [&] { return job->host || job->error; });
            if (!job->error) { // of another part
                lock.unlock();
                if (!reader)
                    reader = make_reader_();
                reader(job->frame, part, job->host->data(),
                       [&] { return job->is_abandoned || owner_.is_cancelled(); });
                lock.lock();
            }
            if (job->ended + 1 == job->frame.parts)
                complete(*job, lock);
        } catch (...) {
            reader = nullptr;
            if (!lock.owns_lock())
                lock.lock();
            if (!job->error)
                job->error = std::current_exception();
        }
        job->ended++;
        changed_.notify_all();
    }
}

void ReadAhead::prepare(Job &job, std::unique_lock<std::mutex> &lock) {
    lock.unlock();
    auto array = owner_.allocate(job.frame.info);
    auto host = std::make_unique<Host<char>>(array);
    lock.lock();
    job.array = std::move(array);
    job.host = std::move(host);
    changed_.notify_all();
}

void ReadAhead::complete(Job &job, std::unique_lock<std::mutex> &lock) {
    lock.unlock();
    job.host.reset();
    if (upload_ && !job.error)
        job.array.storage()->start_upload();
    lock.lock();
}

} // namespace tomo::io
