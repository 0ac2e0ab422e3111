// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "read-ahead.hpp"

#include <gst/tomo/profile.hpp>

namespace tomo::io {

ReadAhead::ReadAhead(const ReadOptions &options, unsigned threads, GstElement *owner, Allocate allocate)
    : options_(options), owner_(owner), allocate_(std::move(allocate)) {
    for (unsigned i = 0; i < threads; i++)
        threads_.emplace_back([this] { work(); });
}

ReadAhead::~ReadAhead() {
    {
        std::lock_guard<std::mutex> lock(lock_);
        ending_ = true;
        waiting_.clear();
    }
    changed_.notify_all();
    for (auto &thread : threads_)
        thread.join();
}

void ReadAhead::add(const Page &page) {
    jobs_.push_back(std::make_shared<Job>(Job{page, {}, nullptr, false}));
    std::lock_guard<std::mutex> lock(lock_);
    waiting_.push_back(jobs_.back());
    changed_.notify_all();
}

Array ReadAhead::take() {
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    std::unique_lock<std::mutex> lock(lock_);
    changed_.wait(lock, [&] { return job->done; });
    if (job->error)
        std::rethrow_exception(job->error);
    return std::move(job->array);
}

void ReadAhead::clear() {
    jobs_.clear();
    std::lock_guard<std::mutex> lock(lock_);
    waiting_.clear();
}

void ReadAhead::work() {
    std::unique_ptr<ImageReader> reader;
    std::string open_file;
    std::unique_lock<std::mutex> lock(lock_);
    for (;;) {
        changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
        if (ending_)
            return;
        const auto job = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        Array array;
        std::exception_ptr error;
        try {
            const WorkFor work(owner_);
            array = read(job->page, reader, open_file);
        } catch (...) {
            error = std::current_exception();
            reader.reset();
            open_file.clear();
        }
        lock.lock();
        job->array = std::move(array);
        job->error = error;
        job->done = true;
        changed_.notify_all();
    }
}

Array ReadAhead::read(const Page &page, std::unique_ptr<ImageReader> &reader, std::string &open_file) const {
    if (!reader || open_file != page.file) {
        reader = open_reader(page.file, options_);
        open_file = page.file;
    }
    Array array = allocate_(page.info);
    {
        const Host<char> host(array);
        reader->read(page.page, host.data(), page.info.size());
    }
    if (upload_)
        array.storage()->start_upload();
    return array;
}

} // namespace tomo::io
