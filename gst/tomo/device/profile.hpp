// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who records what devices do. Without a recorder, which is the rule, recording is one look at a flag, and
// queues don't measure times.
#pragma once

#include <gst/tomo/device/cl.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace tomo {

// On whose behalf the device works: a GstElement for recorders, and opaque to all below the elements. Null is
// the element that the thread is in, if any.
using WorkTag = void *;

// A command, or several that follow each other in one queue.
struct Command {
    enum class Kind { kernel, fft, copy, upload, download };

    Kind kind;
    std::string name;
    std::size_t bytes; // moved; 0 for what computes
    WorkTag tag = nullptr;
    ClEvent begin; // with its end the command starts; none: `end` is the command alone
    ClEvent end;
    cl_command_queue queue;
};

class GST_TOMO_API Recorder {
  public:
    virtual ~Recorder();
    // Called from any thread, right after the command was enqueued.
    virtual void enqueued(Command command) = 0;
    // This thread, which is none that GStreamer pushes with, works for somebody; and no more.
    virtual void began_work(WorkTag tag) = 0;
    virtual void ended_work() = 0;
    // So much device memory is allocated now, in use or kept for reuse.
    virtual void allocated(std::size_t bytes) = 0;
};

// Devices that exist already don't measure times: set the recorder before the first one is opened. Null ends
// recording.
GST_TOMO_API void set_recorder(std::shared_ptr<Recorder> recorder);
GST_TOMO_API std::shared_ptr<Recorder> recorder();

extern GST_TOMO_API std::atomic<bool> is_recording_now;
inline bool is_recording() { return is_recording_now.load(std::memory_order_relaxed); }

GST_TOMO_API void record_always(Command command);

// The command that `end` belongs to was enqueued.
inline void record(Command::Kind kind, const std::string &name, std::size_t bytes, cl_command_queue queue,
                   const ClEvent &end, WorkTag tag = nullptr) {
    if (is_recording())
        record_always({kind, name, bytes, tag, {}, end, queue});
}

// While it lives, a thread of this library works for somebody else.
class WorkFor {
  public:
    explicit WorkFor(WorkTag tag) : recorder_(is_recording() ? recorder() : nullptr) {
        if (recorder_)
            recorder_->began_work(tag);
    }
    ~WorkFor() {
        if (recorder_)
            recorder_->ended_work();
    }
    WorkFor(const WorkFor &) = delete;
    WorkFor &operator=(const WorkFor &) = delete;

  private:
    std::shared_ptr<Recorder> recorder_;
};

} // namespace tomo
