// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.hpp"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace reconstruct {

namespace {

constexpr std::size_t longest = 64 << 10; // line

} // namespace

std::vector<std::string> Commands::take() {
    std::string came;
    while (!has_ended_ && came.size() < longest) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, 0) <= 0)
            break;
        char part[4096];
        const auto got = read(STDIN_FILENO, part, sizeof part);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            break;
        has_ended_ = got <= 0;
        if (got > 0)
            came.append(part, static_cast<std::size_t>(got));
        else
            came += '\n'; // the last line need not have an end
    }
    std::vector<std::string> lines;
    const auto add = [&] {
        if (!is_too_long_ && begun_.find_first_not_of(" \t\r") != std::string::npos)
            lines.push_back(begun_);
        begun_.clear();
    };
    for (const char c : came)
        if (c == '\n') {
            add();
            is_too_long_ = false;
        } else if (!is_too_long_ && (begun_ += c).size() >= longest) {
            begun_.resize(100);
            add();
            is_too_long_ = true;
        }
    return lines;
}

} // namespace reconstruct
