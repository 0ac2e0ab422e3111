// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/protocol.hpp>

#include <algorithm>

#include <unistd.h>

namespace tomo {

namespace {

// In the order of DriverCommand::Kind.
const std::vector<std::string> names = {"pause", "resume", "finish", "abort", "preview", "run"};

[[noreturn]] void refuse(const std::string &why) {
    graph_error(GST_TOMO_GRAPH_ERROR_VALUE, "no command: " + why);
}

} // namespace

Json event_of(const char *kind) {
    Json event = Json::object();
    event.set("event", Json::text(kind));
    event.set("time", Json::number(static_cast<double>(g_get_real_time()) / 1e6));
    return event;
}

Json hello_event() {
    Json hello = event_of("hello");
    hello.set("version", Json::integer(gint64{protocol_version}));
    hello.set("program", Json::text("gst-tomo"));
    hello.set("pid", Json::integer(gint64{getpid()}));
    return hello;
}

Json message_event(const char *level, const std::string &text, const std::string &element) {
    Json message = event_of("message");
    message.set("level", Json::text(level));
    message.set("text", Json::text(text));
    if (!element.empty())
        message.set("element", Json::text(element));
    return message;
}

Json state_event(bool is_paused) {
    Json state = event_of("state");
    state.set("state", Json::text(is_paused ? "paused" : "running"));
    return state;
}

Json done_event(const char *status, Json outputs) {
    Json done = event_of("done");
    done.set("status", Json::text(status));
    done.set("outputs", std::move(outputs));
    return done;
}

DriverCommand::DriverCommand(const std::string &written) {
    const auto object = Json::parse(written, "command");
    if (!object.is(Json::Kind::object))
        refuse(R"(wanted an object such as {"command": "finish"})");
    const auto *name = object.find("command");
    if (!name || !name->is(Json::Kind::text))
        refuse(R"(it has no name; wanted an object such as {"command": "finish"})");
    const auto found = std::find(names.begin(), names.end(), name->text());
    if (found == names.end()) {
        std::string all;
        for (const auto &one : names)
            all += (all.empty() ? "" : ", ") + one;
        refuse("'" + name->text() + "'" + suggestion(name->text(), names) + "; wanted one of " + all);
    }
    kind = static_cast<Kind>(found - names.begin());
    for (const auto &member : object.members())
        if (member.key != "command")
            take(member);
    if (kind == Kind::run && !description.is(Json::Kind::object))
        refuse("run wants a description, an object");
    if (node.empty() && !input.empty())
        refuse("the input of a preview is that of a node; give the node, too");
}

void DriverCommand::refuse_another_run() {
    refuse("this process runs one job; start another one for another run");
}

void DriverCommand::refuse_nodes() {
    refuse("a reconstruction has no nodes: its preview is an image of the result");
}

void DriverCommand::take(const Json::Member &member) {
    const auto &[key, value, place] = member;
    if (key == "description" && kind == Kind::run) {
        description = value;
        return;
    }
    std::string *file = nullptr;
    if (kind == Kind::preview)
        file = key == "path" ? &path : key == "node" ? &node : key == "input" ? &input : nullptr;
    else if (kind == Kind::run)
        file = key == "events" ? &events : key == "errors" ? &errors : key == "folder" ? &folder : nullptr;
    if (!file)
        refuse(names[static_cast<std::size_t>(kind)] + " has no '" + key + "'");
    if (!value.is(Json::Kind::text) || value.text().empty())
        refuse("the " + key + " of a " + names[static_cast<std::size_t>(kind)] + " is the name of a " +
               (file == &node || file == &input ? "node or its input" : "file or folder"));
    *file = value.text();
}

} // namespace tomo
