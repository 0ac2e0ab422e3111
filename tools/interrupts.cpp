// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "interrupts.hpp"

#include <csignal>
#include <unistd.h>

namespace tool {

namespace {

volatile std::sig_atomic_t interrupts = 0, last_signal = 0;

// An abort waits for what the device is at, and a kernel of the user's may never end.
constexpr unsigned abort_seconds = 2;

extern "C" void give_up(int) {
    constexpr char message[] = "the device does not stop; the process ends without it\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, message, sizeof message - 1);
    _exit(128 + last_signal);
}

// Whatever thread waits for the device meanwhile: nothing but system calls.
extern "C" void on_signal(int number) {
    last_signal = number;
    interrupts = interrupts + 1;
    if (interrupts == 2)
        alarm(abort_seconds);
    else if (interrupts > 2)
        give_up(number);
}

} // namespace

void catch_interrupts() {
    struct sigaction action = {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = give_up;
    sigaction(SIGALRM, &action, nullptr);
}

bool is_interrupted() { return interrupts > 0; }

void run_to_end(const Interruptible &running) {
    int handled = 0;
    while (running.poll()) {
        const int seen = interrupts; // another one may come while this one is handled
        if (seen > 0 && handled == 0)
            running.finish();
        if (seen > 1)
            running.abort();
        handled = seen;
    }
}

int status_after(bool is_good) {
    if (interrupts)
        return 128 + last_signal;
    return is_good ? 0 : 1;
}

} // namespace tool
