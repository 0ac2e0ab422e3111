// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/device/profile.hpp>

#include <mutex>

namespace tomo {

namespace {

std::mutex recorder_lock;
std::shared_ptr<Recorder> current;

} // namespace

std::atomic<bool> is_recording_now{false};

Recorder::~Recorder() = default;

void set_recorder(std::shared_ptr<Recorder> recorder) {
    std::shared_ptr<Recorder> before; // ends outside of the lock
    const std::lock_guard<std::mutex> guard(recorder_lock);
    before = std::exchange(current, std::move(recorder));
    is_recording_now = current != nullptr;
}

std::shared_ptr<Recorder> recorder() {
    const std::lock_guard<std::mutex> guard(recorder_lock);
    return current;
}

void record_always(Command command) {
    if (const auto to = recorder())
        to->enqueued(std::move(command));
}

} // namespace tomo
