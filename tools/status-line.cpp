// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "status-line.hpp"

#include <glib.h>

#include <unistd.h>

namespace tool {

StatusLine::StatusLine(bool shows) : shows_(shows), is_terminal_(isatty(STDERR_FILENO)) {}

double StatusLine::elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count();
}

void StatusLine::update(const std::string &line) {
    if (!shows_)
        return;
    if (is_terminal_) {
        g_printerr("\r\033[K%s", line.c_str());
        is_open_ = true;
    } else if (elapsed() >= next_) {
        g_printerr("%s\n", line.c_str());
        next_ = elapsed() + 10;
    }
}

void StatusLine::clear() {
    if (is_open_)
        g_printerr("\r\033[K");
    is_open_ = false;
}

void StatusLine::finish(const std::string &line) {
    clear();
    if (shows_)
        g_printerr("%s\n", line.c_str());
}

} // namespace tool
