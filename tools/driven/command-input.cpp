// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command-input.hpp"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace tool {

namespace {

constexpr std::size_t longest = 64 << 20; // line: a description may hold lists of numbers
constexpr std::size_t at_once = 1 << 20;  // bytes
constexpr std::size_t kept = 100;         // bytes of a line that is too long

} // namespace

void CommandInput::wait(int milliseconds) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    poll(&input, 1, milliseconds);
}

std::string CommandInput::read_some() {
    std::string came;
    has_ended_ = false;
    while (!has_ended_ && came.size() < at_once) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, 0) <= 0)
            break;
        char part[65536];
        const auto got = read(STDIN_FILENO, part, sizeof part);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            break;
        has_ended_ = got <= 0;
        if (got > 0)
            came.append(part, static_cast<std::size_t>(got));
        else if (!begun_.empty() || !came.empty())
            came += '\n'; // the last line need not have an end
    }
    return came;
}

std::vector<std::string> CommandInput::take() {
    std::vector<std::string> lines;
    const auto add = [&] {
        if (!is_too_long_ && begun_.find_first_not_of(" \t\r") != std::string::npos)
            lines.push_back(begun_);
        begun_.clear();
    };
    for (const char c : read_some())
        if (c == '\n') {
            add();
            is_too_long_ = false;
        } else if (!is_too_long_ && (begun_ += c).size() >= longest) {
            begun_.resize(kept);
            add();
            is_too_long_ = true;
        }
    return lines;
}

} // namespace tool
