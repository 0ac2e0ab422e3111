// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Ctrl-C and SIGTERM while something runs.
#pragma once

#include <functional>

namespace tool {

// From now on signals are counted.
void catch_interrupts();
bool is_interrupted();

// Something that runs. `poll` waits a while and tells whether it goes on.
struct Interruptible {
    std::function<bool()> poll;
    std::function<void()> finish; // by the first interrupt
    std::function<void()> abort;  // by the second one, which ends the process where the device does not stop
};
void run_to_end(const Interruptible &running);

// The status of a program that ends, as shells tell it: 128 and the signal, if there was one.
int status_after(bool is_good);

} // namespace tool
