// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "event-output.hpp"

#include "../graph-program.hpp"

#include <cerrno>
#include <cstdio>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace tool {

namespace {

void redirect(int from, int to) {
    std::fflush(to == STDOUT_FILENO ? stdout : stderr);
    dup2(from, to);
}

int open_or_throw(const std::string &file, int flags) {
    const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    if (descriptor < 0)
        throw std::runtime_error("'" + file + "' can't be written: " + g_strerror(errno));
    return descriptor;
}

} // namespace

EventOutput::EventOutput() : own_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) {
    redirect(STDERR_FILENO, STDOUT_FILENO);
}

EventOutput::~EventOutput() {
    end_divert();
    redirect(own_, STDOUT_FILENO);
    close(own_);
}

void EventOutput::tell(const std::string &event) {
    const std::string line = event + "\n";
    std::size_t written = 0;
    while (written < line.size()) {
        const auto part =
            write(diverted_ >= 0 ? diverted_ : own_, line.data() + written, line.size() - written);
        if (part < 0 && errno != EINTR) {
            g_printerr("an event can't be written: %s\n", g_strerror(errno));
            _exit(failed);
        }
        written += part > 0 ? static_cast<std::size_t>(part) : 0;
    }
}

void EventOutput::divert(const std::string &events, const std::string &errors) {
    const int to = events.empty() ? -1 : open_or_throw(events, O_EXCL | O_APPEND);
    if (!errors.empty()) {
        int file = -1;
        try {
            file = open_or_throw(errors, O_APPEND);
        } catch (...) {
            if (to >= 0)
                close(to);
            throw;
        }
        errors_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        redirect(file, STDERR_FILENO);
        redirect(file, STDOUT_FILENO);
        close(file);
    }
    diverted_ = to;
}

void EventOutput::end_divert() {
    if (diverted_ >= 0)
        close(diverted_);
    diverted_ = -1;
    if (errors_ < 0)
        return;
    redirect(errors_, STDERR_FILENO);
    redirect(errors_, STDOUT_FILENO);
    close(errors_);
    errors_ = -1;
}

} // namespace tool
