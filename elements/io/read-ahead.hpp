// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/files/stored-frame.hpp>

#include <gst/tomo/bases/element.hpp>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <optional>
#include <thread>

namespace tomo::io {

// Reads the frames of a source in threads of its own, in advance, and gives them in order.
class ReadAhead {
  public:
    // Finds a frame, in the thread of the stream; nothing behind the last one.
    using Locate = std::function<std::optional<StoredFrame>(std::uint64_t number)>;
    // Each thread makes a reader for itself, and another after an error.
    using MakeReader = std::function<FrameReader()>;

    // The threads work for the element `owner`. Throws where the system has no threads left.
    ReadAhead(Element &owner, Locate locate, MakeReader make_reader);
    ~ReadAhead();
    ReadAhead(const ReadAhead &) = delete;
    ReadAhead &operator=(const ReadAhead &) = delete;

    // Frame `number`, null behind the last one; it and those behind it are being read from now on, as many as
    // there is room for. For one thread, as take().
    const StoredFrame *plan(std::uint64_t number);
    // The samples of the frame that was planned. Throws what reading it threw.
    Array take();
    // Whether what was read shall be on its way to the device at once.
    void set_upload(bool upload) { upload_ = upload; }

  private:
    struct Job {
        explicit Job(StoredFrame &&of) : frame(std::move(of)) {}
        bool is_done() const { return ended == frame.parts; }

        const StoredFrame frame;
        Array array;
        std::unique_ptr<Host<char>> host; // while parts are read; before that null
        std::exception_ptr error;
        unsigned begun = 0, ended = 0; // parts
        std::atomic<bool> is_abandoned{false};
    };

    // Without threads.
    ReadAhead(Element &owner, Locate locate, MakeReader make_reader, unsigned most_ahead);

    bool add(std::uint64_t number);
    Array wait_for_first();
    void clear();
    void work();
    // Before the first part, and behind the last one; without the lock meanwhile.
    void prepare(Job &job, std::unique_lock<std::mutex> &lock);
    void complete(Job &job, std::unique_lock<std::mutex> &lock);

    Element &owner_;
    const Locate locate_;
    const MakeReader make_reader_;
    const unsigned most_ahead_;
    std::atomic<bool> upload_{false};
    std::deque<std::shared_ptr<Job>> jobs_; // of the caller

    std::mutex lock_; // over all below, and the jobs but for their samples
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Job>> waiting_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

} // namespace tomo::io
