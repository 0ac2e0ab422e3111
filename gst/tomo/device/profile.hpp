// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Recording of the devices' commands. Without a recorder, the usual case, recording costs one look at a flag,
// and queues do not measure times.
#pragma once

#include <gst/tomo/device/cl.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace tomo {

// The element for which a device works: a GstElement for recorders, opaque to all code below the elements.
// Null is the element in which the thread runs, if any.
using WorkTag = void *;

// A command, or several that follow each other in one queue.
struct Command {
    enum class Kind { kernel, fft, copy, upload, download };

    Kind kind;
    std::string name;
    std::size_t bytes; // bytes moved; 0 for computing commands
    WorkTag tag = nullptr;
    ClEvent begin; // the commands start when this one ends; none: `end` is the only command
    ClEvent end;
    cl_command_queue queue;
};

class GST_TOMO_API Recorder {
  public:
    virtual ~Recorder();
    // Called from any thread, right after the command was enqueued.
    virtual void enqueued(Command command) = 0;
    // This thread, which is not a streaming thread, begins and ends work for an element.
    virtual void began_work(WorkTag tag) = 0;
    virtual void ended_work() = 0;
    // Bytes of device memory that are allocated now, in use or kept for reuse.
    virtual void allocated(std::size_t bytes) = 0;
};

// Set the recorder before the first device is opened, because existing devices do not measure times. Null
// ends recording.
GST_TOMO_API void set_recorder(std::shared_ptr<Recorder> recorder);
GST_TOMO_API std::shared_ptr<Recorder> recorder();

extern GST_TOMO_API std::atomic<bool> is_recording_now;
inline bool is_recording() { return is_recording_now.load(std::memory_order_relaxed); }

GST_TOMO_API void record_always(Command command);

// Records a command, whose event is `end`, after it was enqueued.
inline void record(Command::Kind kind, const std::string &name, std::size_t bytes, cl_command_queue queue,
                   const ClEvent &end, WorkTag tag = nullptr) {
    if (is_recording())
        record_always({kind, name, bytes, tag, {}, end, queue});
}

// While this object exists, a thread of this library works for the element `tag`.
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
