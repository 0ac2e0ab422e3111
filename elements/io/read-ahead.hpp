// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "image-reader.hpp"

#include <gst/tomo/device-array.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tomo::io {

// Reads pages in threads of its own, in advance, and gives them in order.
class ReadAhead {
  public:
    struct Page {
        std::uint64_t frame; // the caller's number
        std::string file;
        std::size_t page;
        ArrayInfo info; // as the reader says
    };
    using Allocate =
        std::function<Array(const ArrayInfo &)>; // called by any thread; what it throws, take() throws

    // The threads work for the element `owner`.
    ReadAhead(const ReadOptions &options, unsigned threads, GstElement *owner, Allocate allocate);
    ~ReadAhead();
    ReadAhead(const ReadAhead &) = delete;
    ReadAhead &operator=(const ReadAhead &) = delete;

    // Pages that were added and not taken. For one thread, as are the others.
    std::size_t size() const { return jobs_.size(); }
    bool empty() const { return jobs_.empty(); }
    const Page &first() const { return jobs_.front()->page; }
    const Page &last() const { return jobs_.back()->page; }

    void add(const Page &page);
    // The first page, when it has been read. Throws what reading it threw.
    Array take();
    void clear();
    // Whether what was read shall be on its way to the device at once.
    void set_upload(bool upload) { upload_ = upload; }

  private:
    struct Job {
        Page page;
        Array array;
        std::exception_ptr error;
        bool done = false;
    };

    void work();
    Array read(const Page &page, std::unique_ptr<ImageReader> &reader, std::string &open_file) const;

    const ReadOptions options_;
    GstElement *const owner_;
    const Allocate allocate_;
    std::atomic<bool> upload_{false};
    std::deque<std::shared_ptr<Job>> jobs_; // of the caller

    std::mutex lock_; // over all below, and the results of jobs
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Job>> waiting_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

} // namespace tomo::io
