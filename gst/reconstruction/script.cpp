// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-format.hpp>
#include <gst/files/number-pattern.hpp>
#include <gst/reconstruction/plan.hpp>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/duration.hpp>

#include <string_view>
#include <utility>

namespace tomo::reconstruction {

namespace {

std::string quoted(const std::string &word) { return CString(g_shell_quote(word.c_str())).get(); }

// Ends in status 1 if one of the files is there.
std::string guard(const std::string &file, unsigned images) {
    const std::string refusal = R"({ echo "$f is there already" >&2; exit 1; })";
    if (!io::NumberPattern(file).has_number())
        return "(f=" + quoted(file) + R"(; [ ! -e "$f" ] || )" + refusal + ")";
    return text("(for i in $(seq 0 %u); do printf -v f -- %s $i; [ ! -e \"$f\" ] || %s; done)", images - 1,
                quoted(file).c_str(), refusal.c_str());
}

} // namespace

// Joined by &&, so that pasted into a shell they end at the first failure, and leave the shell as it is.
std::string Plan::script() const {
    std::vector<std::string> commands;
    if (guards)
        for (const auto &each : outputs())
            commands.push_back(
                guard(io::split_location(each).file, shape.depth / static_cast<unsigned>(outputs().size())));
    if (!folder.empty()) {
        if (const CString above(g_path_get_dirname(folder.c_str())); above.get() != std::string_view("."))
            commands.push_back("mkdir -p " + quoted(above.get()));
        // Slabs that are not of this result would be in the way.
        commands.push_back((resumes ? "mkdir -p " : "mkdir ") + quoted(folder));
    }
    const auto launch =
        (device_memory.empty() ? "" : "GST_TOMO_MEMORY_LIMIT=" + quoted(device_memory) + " ") +
        "gst-launch-1.0 -q ";
    for (const auto &slab : slabs)
        commands.push_back(launch + slab.line);
    if (!folder.empty()) {
        commands.push_back(launch + join);
        commands.push_back("rm -r " + quoted(folder));
    }
    std::string script = text("# %u image%s to %s, %.4g MB", shape.depth, shape.depth == 1 ? "" : "s",
                              output.c_str(), static_cast<double>(shape.size()) / 1e6);
    if (seconds > 0.0)
        script += ", about " + expected_text(seconds) + " on " + device;
    script += "\n";
    const char *between = "";
    for (const auto &command : commands)
        script += std::exchange(between, " &&\n") + command;
    return script + "\n";
}

} // namespace tomo::reconstruction
