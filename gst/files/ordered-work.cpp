// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ordered-work.hpp"

#include <gst/tomo/support/threads.hpp>

#include <algorithm>

namespace tomo::io {

OrderedWork::OrderedWork(std::uint64_t most_bytes, Report report)
    : most_bytes_(most_bytes), report_(std::move(report)) {}

// The object is whole for C++ when the first constructor is through. So the destructor ends the threads that
// there are where there is none to be had for the next one.
OrderedWork::OrderedWork(unsigned threads, std::uint64_t most_bytes, Report report)
    : OrderedWork(most_bytes, std::move(report)) {
    for (unsigned i = 0; i < threads; i++)
        threads_.push_back(start_thread([this] { run(); }));
}

OrderedWork::~OrderedWork() {
    {
        const Lock lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    for (auto &thread : threads_)
        thread.join();
}

void OrderedWork::add(std::unique_ptr<Job> job, std::uint64_t bytes) {
    Lock lock(mutex_);
    changed_.wait(lock, [&] { return entries_.empty() || bytes_ + bytes <= most_bytes_; });
    if (error_)
        std::rethrow_exception(error_);
    entries_.push_back(std::make_shared<Entry>(Entry{std::move(job), bytes, nullptr, false}));
    waiting_.push_back(entries_.back());
    bytes_ += bytes;
    changed_.notify_all();
}

void OrderedWork::settle() {
    Lock lock(mutex_);
    changed_.wait(lock, [&] { return entries_.empty(); });
    if (error_)
        std::rethrow_exception(error_);
}

void OrderedWork::run() {
    Lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty())
            return;
        const auto entry = std::move(waiting_.front());
        waiting_.pop_front();
        if (!error_) {
            lock.unlock();
            try {
                entry->job->work();
            } catch (...) {
                entry->error = std::current_exception();
            }
            lock.lock();
            if (!entry->error)
                let_go(*entry);
        }
        entry->worked = true;
        take_turns(lock);
    }
}

// Of what only work() needed, so that jobs which wait for their turn leave room for others.
void OrderedWork::let_go(Entry &entry) {
    const auto rest = std::min(entry.bytes, entry.job->bytes_after_work());
    bytes_ -= entry.bytes - rest;
    entry.bytes = rest;
    changed_.notify_all();
}

void OrderedWork::fail(Lock &lock, std::exception_ptr error) {
    if (!error || error_)
        return;
    error_ = error;
    if (!report_)
        return;
    lock.unlock();
    report_(error);
    lock.lock();
}

// By whichever thread comes first.
void OrderedWork::take_turns(Lock &lock) {
    if (taking_turns_)
        return;
    taking_turns_ = true;
    while (!entries_.empty() && entries_.front()->worked) {
        const auto entry = entries_.front();
        fail(lock, entry->error);
        const bool failed = error_ != nullptr;
        lock.unlock();
        try {
            if (!failed)
                entry->job->run_in_order();
        } catch (...) {
            entry->error = std::current_exception();
        }
        entry->job.reset();
        lock.lock();
        fail(lock, entry->error);
        entries_.pop_front();
        bytes_ -= entry->bytes;
        changed_.notify_all();
    }
    taking_turns_ = false;
}

} // namespace tomo::io
