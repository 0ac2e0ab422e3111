// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The newest frames of a camera in memory, and the file in which some of them are kept.
#pragma once

#include "fields.hpp"

#include <gst/files/scan/exchange-writer.hpp>
#include <gst/tomo/support/error.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tomo::live {

// One thread puts frames; any thread calls the other functions.
class FrameStore {
  public:
    struct Facts {
        std::uint64_t number;
        double angle;   // NaN where nobody tells it
        double time;    // seconds
        double arrival; // seconds of a clock that only goes forward
    };
    // How it goes with a file.
    struct Report {
        enum class State { begun, slow, done, failed }; // slow: it will fail with the frames so far
        State state;
        std::string path, text;
        std::uint64_t frames;
        bool is_whole = false; // the file, also if it ends early
    };

    // `tell` is called in any thread.
    explicit FrameStore(std::function<void(const Report &)> tell) : tell_(std::move(tell)) {}
    ~FrameStore() { end(); }
    FrameStore(const FrameStore &) = delete;
    FrameStore &operator=(const FrameStore &) = delete;

    // Frames of this kind come from now on, in so many bytes of memory. Earlier ones are forgotten; a file
    // ends with them. Throws Error where no frame has room.
    void begin(const ArrayInfo &image, std::uint64_t limit);
    // With `waits`, it waits for room, until cancel(). Otherwise a frame without room ends the file, with a
    // failure.
    void put(const void *samples, const Facts &facts, bool waits);
    void cancel(bool is_cancelled);

    // Throws Error where that can't be.
    void keep(double seconds, const std::string &path, std::shared_ptr<const Fields> fields, double axis);
    // Completes the file, with the frames so far; it does not wait for that.
    void stop(const std::string &failure = {});
    // Completes it, and forgets all frames.
    void end();
    bool is_keeping() const;
    // In force from now on, for a file whose frames had none.
    void set_fields(std::shared_ptr<const Fields> fields);
    // The file that is being written tells the last one.
    void set_axis(double axis);

    struct Counts {
        std::uint64_t stored, kept;
        double seconds; // that the stored ones cover
    };
    Counts counts() const;

  private:
    using Clock = std::chrono::steady_clock;
    struct Frame {
        Facts facts;
        std::unique_ptr<unsigned char[]> samples;
    };
    struct Keeping {
        std::string path;
        std::shared_ptr<const Fields> fields;
        double axis;
        std::uint64_t next; // to write, of all frames
        std::optional<std::uint64_t> end;
        std::string failure;
        Clock::time_point since;
        std::uint64_t came = 0, written = 0; // bytes since then
        double busy = 0.0;                   // seconds of writing
    };

    void write();
    void stop_locked(const std::string &failure);
    std::uint64_t count() const { return first_ + frames_.size(); } // of all that came
    std::string rates() const;

    const std::function<void(const Report &)> tell_;
    mutable std::mutex lock_;
    std::condition_variable changed_;
    ArrayInfo image_;
    std::size_t most_ = 0; // frames that have room
    std::deque<Frame> frames_;
    std::uint64_t first_ = 0; // number of the first of these, of all
    std::vector<std::unique_ptr<unsigned char[]>> free_;
    std::optional<Keeping> keeping_;
    std::thread writer_;
    bool is_cancelled_ = false;
};

} // namespace tomo::live
