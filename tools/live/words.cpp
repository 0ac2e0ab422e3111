// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "words.hpp"

#include <gst/tomo/support/json.hpp>

#include <charconv>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace live {

using tomo::Json;

namespace {

constexpr char all[] =
    "plane N PLANE, add-plane PLANE, remove-plane N, axis PIXELS, set NAME VALUE, darks N or PATH, flats N or "
    "PATH, cancel-fields, keep SECONDS PATH, stop-keeping, volume [PATH], pause, resume, quit";

[[noreturn]] void refuse(const std::string &line) {
    throw std::runtime_error("'" + line + "' is no command; wanted one of " + all);
}

Json number(const std::string &word, const std::string &line) {
    double value = 0;
    const auto *end = word.data() + word.size();
    if (const auto parsed = std::from_chars(word.data(), end, value);
        parsed.ec != std::errc() || parsed.ptr != end)
        refuse(line);
    return Json::number(value);
}

} // namespace

std::string command_of(const std::string &line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    if (words.empty() || words[0][0] == '{')
        return line;
    auto command = Json::object();
    const auto &name = words[0];
    const auto wants = [&](std::size_t count) {
        if (words.size() != count)
            refuse(line);
    };
    const bool is_field = name == "darks" || name == "flats";
    command.set("command", Json::text(name == "axis" ? "set" : name));
    if (name == "plane") {
        wants(3);
        command.set("index", number(words[1], line));
        command.set("plane", Json::text(words[2]));
    } else if (name == "add-plane") {
        wants(2);
        command.set("plane", Json::text(words[1]));
    } else if (name == "remove-plane") {
        wants(2);
        command.set("index", number(words[1], line));
    } else if (name == "axis") {
        wants(2);
        command.set("name", Json::text("axis"));
        command.set("value", number(words[1], line));
    } else if (name == "set") {
        wants(3);
        command.set("name", Json::text(words[1]));
        command.set("value", Json::text(words[2]));
    } else if (is_field) {
        wants(2);
        const bool is_count = words[1].find_first_not_of("0123456789") == std::string::npos;
        command.set(is_count ? "count" : "path", is_count ? number(words[1], line) : Json::text(words[1]));
    } else if (name == "keep") {
        wants(3);
        command.set("seconds", number(words[1], line));
        command.set("path", Json::text(words[2]));
    } else if (name == "volume" && words.size() > 1) {
        wants(2);
        command.set("path", Json::text(words[1]));
    } else if (name == "stop-keeping" || name == "cancel-fields" || name == "volume" || name == "pause" ||
               name == "resume" || name == "quit") {
        wants(1);
    } else
        refuse(line);
    return command.written(false);
}

} // namespace live
