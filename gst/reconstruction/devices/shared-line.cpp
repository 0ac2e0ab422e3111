// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/devices/shared-line.hpp>

#include <gst/reconstruction/line.hpp>

#include <sstream>

namespace tomo::reconstruction {

static constexpr const char *runner = "devices";

bool is_shared(const Settings &settings) { return settings.devices.value().find(',') != std::string::npos; }

std::vector<std::string> sharing_indices(const Settings &settings) {
    std::vector<std::string> indices;
    std::istringstream list(settings.devices.value());
    for (std::string index; std::getline(list, index, ',');)
        indices.push_back(index);
    return indices;
}

std::string shared_line(const Settings &settings, const std::string &line) {
    if (!is_shared(settings) || line.empty())
        return line;
    constexpr std::size_t link = 3; // " ! "
    std::string shared = text(" ! tomodistribute name=%s devices=", runner) + settings.devices.value() +
                         " whole-groups=true on-failure=" + settings.on_failure.value();
    if (settings.memory.is_given())
        shared += text(" max-memory=%" G_GUINT64_FORMAT, settings.memory_bytes() / 4);
    return shared + launch_property("description", line.substr(link));
}

std::string with_inputs_of(const Settings &settings, const std::string &element) {
    return is_shared(settings) ? runner : element;
}

} // namespace tomo::reconstruction
