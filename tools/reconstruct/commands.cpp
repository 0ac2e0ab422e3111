// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.hpp"

#include <gst/tomo/support/json.hpp>

#include <poll.h>
#include <unistd.h>

namespace reconstruct {

std::vector<std::string> Commands::take() {
    while (!has_ended_) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, 0) <= 0)
            break;
        char part[4096];
        const auto got = read(STDIN_FILENO, part, sizeof part);
        has_ended_ = got <= 0;
        if (got > 0)
            begun_.append(part, static_cast<std::size_t>(got));
    }
    std::vector<std::string> names;
    for (auto end = begun_.find('\n'); end != std::string::npos; end = begun_.find('\n')) {
        const auto line = begun_.substr(0, end);
        begun_.erase(0, end + 1);
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            continue;
        const auto &name = tomo::Json::parse(line, "command").text_of("command");
        if (name != "finish" && name != "abort")
            throw tomo::Error(GST_RESOURCE_ERROR_SETTINGS,
                              "'" + line + "' is no command; wanted {\"command\": \"finish\"} or abort");
        names.push_back(name);
    }
    return names;
}

} // namespace reconstruct
