// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/devices/shared-line.hpp>

#include <gst/reconstruction/line.hpp>

#include <string_view>

namespace tomo::reconstruction {

static constexpr std::string_view distribution = " ! tomodistribute name=devices";

bool is_shared(const Settings &settings) { return settings.devices.value().find(',') != std::string::npos; }

std::string shared_line(const Settings &settings, const std::string &line) {
    if (!is_shared(settings) || line.empty())
        return line;
    constexpr std::size_t link = 3; // " ! "
    std::string shared(distribution);
    shared += " devices=" + settings.devices.value() + " whole-groups=true on-failure=continue";
    if (settings.memory.is_given())
        shared += text(" max-memory=%" G_GUINT64_FORMAT, settings.memory_bytes() / 4);
    return shared + launch_property("description", line.substr(link));
}

std::string unshared_line(const std::string &line) {
    const auto begin = line.find(distribution);
    if (begin == std::string::npos)
        return line;
    // Its last property; blanks within it are quoted.
    constexpr std::string_view key = " description=", link = " ! ";
    std::size_t at = line.find(key, begin) + key.size();
    std::string inner(link);
    for (; at < line.size() && line[at] != ' '; at++) {
        if (line[at] == '\\' && at + 1 < line.size())
            at++;
        inner += line[at];
    }
    return unshared_line(line.substr(0, begin) + inner + line.substr(at));
}

} // namespace tomo::reconstruction
