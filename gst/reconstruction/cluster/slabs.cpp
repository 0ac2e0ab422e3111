// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/files/file-format.hpp>
#include <gst/reconstruction/cluster/slabs.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <algorithm>

namespace tomo::reconstruction {

namespace {

constexpr auto interval = std::chrono::milliseconds(100);

Json command_of(const char *name) {
    Json command = Json::object();
    command.set("command", Json::text(name));
    return command;
}

unsigned number_of(const Json &event, const char *key) {
    const Json *value = event.find(key);
    return value ? static_cast<unsigned>(g_ascii_strtoull(value->text().c_str(), nullptr, 10)) : 0;
}

double real_of(const Json &event, const char *key) {
    const Json *value = event.find(key);
    return value ? g_ascii_strtod(value->text().c_str(), nullptr) : 0.0;
}

std::vector<Workers> kinds_of(const Json &ready) {
    std::vector<Workers> kinds;
    if (const Json *list = ready.find("kinds"))
        for (const auto &one : list->items()) {
            const Json *is_cpu = one.find("is-cpu");
            kinds.push_back({one.text_of("device"), is_cpu && is_cpu->is_true(),
                             real_of(one, "compute-units"), real_of(one, "disk"), number_of(one, "count")});
        }
    return kinds;
}

std::string absolute(const std::string &path) {
    return CString(g_canonicalize_filename(path.c_str(), nullptr)).get();
}

} // namespace

ClusterSlabs::ClusterSlabs(const Settings &settings, Listener listener)
    : settings_(settings), listener_(std::move(listener)), program_(settings.cluster) {}

std::optional<Json> ClusterSlabs::wait_for(const char *kind, bool can_end) {
    while (true) {
        listener_.attend();
        if (can_end && is_finishing_)
            return {};
        const auto event = program_.next(interval);
        if (!event)
            continue;
        if (event->text_of("event") == "message")
            listener_.message(event->text_of("level").c_str(), event->text_of("text"),
                              event->text_of("element"));
        else if (event->text_of("event") == kind)
            return event;
    }
}

unsigned ClusterSlabs::workers() {
    if (!workers_)
        if (const auto ready = wait_for("ready", true)) {
            workers_ = std::max(number_of(*ready, "workers"), 1u);
            kinds_ = kinds_of(*ready);
        }
    return std::max(workers_, 1u);
}

bool ClusterSlabs::make(const Plan &plan, const std::function<bool(const Slab &)> &is_there) {
    workers();
    if (!workers_)
        return false;
    Json command = command_of("make"), list = Json::list();
    std::vector<unsigned> made(plan.slabs.size());
    std::size_t left = 0;
    for (std::size_t i = 0; i < plan.slabs.size(); i++) {
        const auto &slab = plan.slabs[i];
        if (is_there(slab)) {
            made[i] = slab.images;
            continue;
        }
        left++;
        Json item = Json::object();
        item.set("number", Json::integer(guint64{i}));
        item.set("images", Json::integer(guint64{slab.images}));
        item.set("file", Json::text(absolute(io::split_location(slab.output).file)));
        item.set("graph", Json::parse(Graph::from_line(slab.line)->to_json(), "graph"));
        list.add(std::move(item));
    }
    command.set("slabs", std::move(list));
    command.set("slab-folder", Json::text(absolute(plan.folder)));
    command.set("folder", Json::text(CString(g_get_current_dir()).get()));
    command.set("patience", Json::number(settings_.cluster_patience.value()));
    if (!settings_.memory.empty())
        command.set("memory", Json::integer(settings_.memory_bytes()));
    command.set("device-memory", Json::text(settings_.device_memory));
    if (plan.is_virtual) { // so that something in the way shows at once
        const auto place = io::split_location(plan.output);
        command.set("file", Json::text(absolute(place.file)));
        command.set("dataset", Json::text(place.dataset));
    }
    const auto tell = [&] {
        double sum = 0.0;
        for (const auto images : made)
            sum += images;
        listener_.images(sum);
    };
    tell();
    if (left == 0)
        return true;
    program_.tell(command);
    while (true) {
        listener_.attend();
        const auto event = program_.next(interval);
        if (!event)
            continue;
        const auto &kind = event->text_of("event");
        const auto number = number_of(*event, "slab");
        if (kind == "message") {
            listener_.message(event->text_of("level").c_str(), event->text_of("text"),
                              event->text_of("element"));
        } else if (kind == "stopped") { // nobody writes in the folder any more
            return left == 0;
        } else if (kind == "out-of-memory") { // nor then
            throw Error(GST_RESOURCE_ERROR_NO_SPACE_LEFT, event->text_of("text"));
        } else if ((kind == "made" || kind == "progress") && number < made.size()) {
            const bool is_made = kind == "made";
            made[number] = is_made ? plan.slabs[number].images
                                   : std::min(number_of(*event, "images"), plan.slabs[number].images);
            left -= is_made;
            if (is_made && event->find("shares"))
                shares_ = event->text_of("shares");
            tell();
        }
    }
}

void ClusterSlabs::join(const Plan &plan) {
    const auto place = io::split_location(plan.output);
    Json command = command_of("join"), list = Json::list();
    for (const auto &slab : plan.slabs)
        list.add(Json::text(absolute(io::split_location(slab.output).file)));
    command.set("slabs", std::move(list));
    command.set("dataset-of-slab", Json::text(io::split_location(plan.slabs.front().output).dataset));
    command.set("slab-folder", Json::text(absolute(plan.folder)));
    command.set("file", Json::text(absolute(place.file)));
    command.set("dataset", Json::text(place.dataset));
    program_.tell(command);
    wait_for("joined", false);
}

void ClusterSlabs::pause(bool is_paused) {
    if (std::exchange(is_paused_, is_paused) != is_paused)
        program_.tell(command_of(is_paused ? "pause" : "resume"));
}

void ClusterSlabs::finish() {
    if (!std::exchange(is_finishing_, true))
        program_.tell(command_of("finish"));
}

} // namespace tomo::reconstruction
