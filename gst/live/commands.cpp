// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "commands.hpp"
#include "planes.hpp"

#include <gst/tomo/graph/names.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::live {

namespace {

[[noreturn]] void refuse(const std::string &why) { graph_error(GST_TOMO_GRAPH_ERROR_VALUE, why); }

constexpr const char *names[] = {"plane", "add-plane",     "remove-plane", "set",          "darks",
                                 "flats", "cancel-fields", "keep",         "stop-keeping", "volume",
                                 "pause", "resume",        "quit"};

} // namespace

LiveCommand::LiveCommand(const std::string &written) {
    const auto object = Json::parse(written, "command");
    const auto *name = object.is(Json::Kind::object) ? object.find("command") : nullptr;
    if (!name || !name->is(Json::Kind::text))
        refuse(R"(no command: wanted an object such as {"command": "plane", "index": 0, "plane": "z=3"})");
    name_ = name->text();
    const std::vector<std::string> all(std::begin(names), std::end(names));
    if (std::find(all.begin(), all.end(), name_) == all.end()) {
        std::string list;
        for (const auto &one : all)
            list += (list.empty() ? "" : ", ") + one;
        refuse(text("no command: '%s'%s; wanted one of %s", name_.c_str(), suggestion(name_, all).c_str(),
                    list.c_str()));
    }
    const auto whole = [&](const Json::Member &member) {
        const double value =
            member.value.is(Json::Kind::number) ? g_ascii_strtod(member.value.text().c_str(), nullptr) : -1;
        if (!(value >= 0 && value < 1e9 && value == std::floor(value)))
            refuse(text("%s of %s is no whole number", member.key.c_str(), name_.c_str()));
        return static_cast<unsigned>(value);
    };
    const auto words = [&](const Json::Member &member) {
        if (!member.value.is(Json::Kind::text))
            refuse(text("%s of %s is no text", member.key.c_str(), name_.c_str()));
        return member.value.text();
    };
    for (const auto &member : object.members()) {
        const auto &key = member.key;
        const bool has_index = name_ == "plane" || name_ == "remove-plane";
        if (key == "command")
            continue;
        if (key == "index" && has_index)
            index_ = whole(member);
        else if (key == "plane" && (name_ == "plane" || name_ == "add-plane"))
            plane_ = words(member);
        else if (key == "count" && (name_ == "darks" || name_ == "flats"))
            count_ = whole(member);
        else if (key == "path" &&
                 (name_ == "keep" || name_ == "darks" || name_ == "flats" || name_ == "volume"))
            path_ = words(member);
        else if (key == "seconds" && name_ == "keep") {
            seconds_ = member.value.is(Json::Kind::number)
                           ? g_ascii_strtod(member.value.text().c_str(), nullptr)
                           : -1;
            if (!(seconds_ >= 0))
                refuse("seconds of keep is no time: wanted a number from 0 on");
        } else if (key == "name" && name_ == "set")
            parameter_ = words(member);
        else if (key == "value" && name_ == "set")
            value_ = member.value.is(Json::Kind::text) ? member.value.text() : member.value.written(false);
        else
            refuse(text("%s has no '%s'", name_.c_str(), key.c_str()));
    }
    if ((name_ == "plane" || name_ == "remove-plane") && !index_)
        refuse(text("%s wants the index of a plane", name_.c_str()));
    if ((name_ == "plane" || name_ == "add-plane") && plane_.empty())
        refuse(text("%s wants a plane, such as z=3", name_.c_str()));
    if (name_ == "set" && parameter_.empty())
        refuse("set wants the name of a parameter, and its value");
    if ((name_ == "darks" || name_ == "flats") && !count_ && path_.empty())
        refuse(text("%s wants the count of frames to take, or the path of files", name_.c_str()));
    if (name_ == "keep" && path_.empty())
        refuse("keep wants the path of a file");
}

bool LiveCommand::changes() const {
    return name_ == "plane" || name_ == "add-plane" || name_ == "remove-plane" || name_ == "set" ||
           ((name_ == "darks" || name_ == "flats") && !path_.empty());
}

void LiveCommand::change(LiveSettings &settings) const {
    if (name_ == "plane")
        set_plane(settings, *index_, plane_);
    else if (name_ == "add-plane")
        add_plane(settings, plane_);
    else if (name_ == "remove-plane")
        remove_plane(settings, *index_);
    else if (name_ == "set")
        settings.require(parameter_).set_text(value_);
    else
        settings.require(name_).set_text(path_);
}

void LiveCommand::steer(Session &session) const {
    if (name_ == "darks" || name_ == "flats")
        session.take_fields(name_, *count_);
    else if (name_ == "cancel-fields")
        session.cancel_fields();
    else if (name_ == "keep")
        session.keep(seconds_, path_);
    else if (name_ == "stop-keeping")
        session.stop_keeping();
    else if (name_ == "volume")
        session.request_volume(path_);
    else if (name_ == "pause" || name_ == "resume")
        session.pause(name_ == "pause");
    else
        session.stop();
}

} // namespace tomo::live
