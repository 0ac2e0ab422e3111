// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/command.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/support/json.hpp>

#include <algorithm>

namespace tomo::reconstruction {

namespace {

// In the order of Command::Kind.
const std::vector<std::string> names = {"pause", "resume", "finish", "abort", "preview"};

[[noreturn]] void refuse(const std::string &why) {
    graph_error(GST_TOMO_GRAPH_ERROR_VALUE, "no command: " + why);
}

} // namespace

Command::Command(const std::string &written) {
    const auto object = Json::parse(written, "command");
    if (!object.is(Json::Kind::object))
        refuse(R"(wanted an object such as {"command": "finish"})");
    const auto *name = object.find("command");
    if (!name || !name->is(Json::Kind::text))
        refuse(R"(it has no name; wanted an object such as {"command": "finish"})");
    if (name->text() == "run")
        refuse("one program runs one job; start another one for another run");
    const auto found = std::find(names.begin(), names.end(), name->text());
    if (found == names.end()) {
        std::string all;
        for (const auto &one : names)
            all += (all.empty() ? "" : ", ") + one;
        refuse("'" + name->text() + "'" + suggestion(name->text(), names) + "; wanted one of " + all);
    }
    kind = static_cast<Kind>(found - names.begin());
    for (const auto &[key, value, place] : object.members()) {
        const bool is_path = key == "path" && kind == Kind::preview;
        if (key != "command" && !is_path)
            refuse(name->text() + " has no '" + key + "'");
        if (is_path && (!value.is(Json::Kind::text) || value.text().empty()))
            refuse("the path of a preview is the name of a file");
        if (is_path)
            path = value.text();
    }
}

} // namespace tomo::reconstruction
