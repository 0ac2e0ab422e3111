// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-query: tasks and their properties, as text and as JSON.
#include "graph-program.hpp"

#include <gst/tomo/device/device.hpp>
#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/support/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace {

using namespace tool;

using tomo::Json;

std::optional<Json> describe(const char *task, GError **error) {
    const Owned<gchar> text(gst_tomo_describe_task(task, error));
    return text ? std::optional<Json>(Json::parse(text.get(), task)) : std::nullopt;
}

// Of a member that is a list.
const std::vector<Json> &items(const Json &object, const char *key) {
    static const std::vector<Json> none;
    const Json *list = object.find(key);
    return list ? list->items() : none;
}

const char *text_of(const Json &object, const char *key) { return object.text_of(key).c_str(); }

bool is_own(const Json &property) { return property.find("own")->is_true(); }

int list(const Program &program, bool as_json, bool verbose) {
    const Owned<gchar *> tasks(gst_tomo_list_tasks());
    if (!*tasks) {
        program.complain(
            "there is no task: GStreamer does not find the plugin of gst-tomo (see GST_PLUGIN_PATH)");
        return failed;
    }
    Json all = Json::list();
    for (gchar **task = tasks.get(); *task; task++) {
        const auto info = verbose ? describe(*task, nullptr) : std::nullopt;
        if (as_json)
            all.add(info ? *info : Json::text(*task));
        else if (info)
            g_print("%-24s %s\n", *task, text_of(*info, "description"));
        else
            g_print("%s\n", *task);
    }
    if (as_json)
        g_print("%s\n", all.written(true).c_str());
    return ok;
}

void print_property(const Json &property, bool verbose) {
    g_print("  %-24s %s", text_of(property, "name"), text_of(property, "values"));
    if (const Json *usual = property.find("default"); !usual->is(Json::Kind::null))
        g_print("; default %s", usual->written(false).c_str());
    g_print("\n");
    if (!verbose)
        return;
    g_print("      %s\n", text_of(property, "description"));
    for (const Json &choice : items(property, "choices"))
        g_print("          %-20s %s\n", text_of(choice, "name"), text_of(choice, "description"));
}

int show(const Program &program, const char *task, bool as_json, bool verbose) {
    GError *raw = nullptr;
    const auto info = describe(task, &raw);
    if (!info) {
        program.complain(Owned<GError>(raw).get());
        return failed;
    }
    if (as_json) {
        g_print("%s\n", info->written(true).c_str());
        return ok;
    }
    g_print("%s: %s\n", task, text_of(*info, "description"));
    std::string inputs;
    for (const Json &input : items(*info, "inputs"))
        inputs += (inputs.empty() ? "inputs: " : ", ") + input.text();
    g_print("%sproperties:\n", inputs.empty() ? "" : (inputs + "\n").c_str());
    for (const Json &property : items(*info, "properties"))
        // What all elements of a kind have is left to those who ask for it.
        if (verbose || is_own(property) || !info->find("task"))
            print_property(property, verbose);
    if (!items(*info, "results").empty())
        g_print("\nresults:\n");
    for (const Json &result : items(*info, "results"))
        g_print("  %s: %s\n", text_of(result, "name"), text_of(result, "description"));
    return ok;
}

// What the last of the words of a launch line may become, for shells: tasks where one begins, properties
// behind it, values of choices.
int complete(char **words) {
    std::string task, current;
    bool begins = true; // a task
    for (char **word = words; word && *word; word++) {
        const bool is_last = !word[1];
        std::string text = *word;
        if (is_last) {
            current = text;
            break;
        }
        const bool ends = text == "!" || text == "," || text == "[" || text.back() == ',';
        text.erase(0, text.find_first_not_of('['));
        if (begins && !text.empty() && text[0] != '-' && text != "!" && text != ",")
            task = text.substr(0, text.find(','));
        begins = ends || (begins && (text.empty() || text[0] == '-'));
    }
    auto offer = [&](const std::string &candidate) {
        if (candidate.compare(0, current.size(), current) == 0)
            g_print("%s\n", candidate.c_str());
    };
    if (begins) {
        if (!current.empty() && current[0] == '-') {
            Program launch("", "");
            RunOptions options;
            options.add_to(launch);
            offer("--dump");
            for (const auto &option : launch.option_names())
                offer(option);
            offer("--version");
        }
        const std::string brackets =
            current.substr(0, std::min(current.find_first_not_of('['), current.size()));
        const Owned<gchar *> tasks(gst_tomo_list_tasks());
        for (gchar **name = tasks.get(); *name; name++)
            offer(brackets + *name);
        return ok;
    }
    const auto info = describe(task.c_str(), nullptr);
    if (!info)
        return ok;
    for (const Json &property : items(*info, "properties")) {
        const std::string key = property.text_of("name") + "=";
        if (current.find('=') == std::string::npos) {
            if (is_own(property) || !current.empty())
                offer(key);
        } else if (current.compare(0, key.size(), key) == 0) {
            for (const Json &choice : items(property, "choices"))
                offer(key + choice.text_of("name"));
            if (property.text_of("type") == "boolean") {
                offer(key + "true");
                offer(key + "false");
            }
        }
    }
    return ok;
}

// Each is the default device of a context of its own. One that can't be opened hides no others.
int list_devices(const Program &program, bool as_json) {
    constexpr unsigned most = 256;
    Json found = Json::list();
    std::optional<guint> usual; // index of the device that is taken where none is named
    if (const Owned<GstTomoContext> context(gst_tomo_context_new(nullptr, nullptr)); context)
        usual = gst_tomo_device_get_index(
            Owned<GstTomoDevice>(gst_tomo_context_get_default_device(context.get())).get());
    std::string problem; // the last one: of all devices of a driver it may be the same
    for (unsigned index = 0; index < most; index++) {
        GError *raw = nullptr;
        const Owned<GstTomoContext> context(gst_tomo_context_new(std::to_string(index).c_str(), &raw));
        if (const Owned<GError> error(raw); error) {
            const bool is_last =
                g_error_matches(error.get(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
            if (is_last && index > 0)
                break;
            if (std::exchange(problem, error->message) != error->message)
                program.complain(error.get());
            if (is_last)
                break;
            continue;
        }
        const Owned<GstTomoDevice> device(gst_tomo_context_get_default_device(context.get()));
        const char *name = gst_tomo_device_get_name(device.get());
        const bool is_cpu = gst_tomo_device_is_cpu(device.get());
        const guint64 limit = gst_tomo_device_get_memory_limit(device.get());
        if (!as_json)
            g_print("%u: %s (%s, %.3g GB)\n", index, name, is_cpu ? "CPU" : "GPU",
                    static_cast<double>(limit) / 1e9);
        Json one = Json::object();
        one.set("index", Json::integer(guint64{index}));
        one.set("name", Json::text(name));
        one.set("is-cpu", Json::boolean(is_cpu));
        one.set("memory", Json::integer(limit));
        one.set("compute-units", Json::integer(guint64{tomo::device_of(device.get())->compute_units()}));
        one.set("default", Json::boolean(usual == index));
        found.add(std::move(one));
    }
    if (as_json)
        g_print("%s\n", found.written(true).c_str());
    return found.items().empty() ? failed : ok;
}

} // namespace

int main(int argc, char **argv) {
    Program program("", "Tells which tasks there are, which properties they have, and which devices.");
    gboolean wants_list = FALSE, wants_devices = FALSE, verbose = FALSE, as_json = FALSE;
    gchar *task_name = nullptr;
    program.add({"list", 'l', 0, G_OPTION_ARG_NONE, &wants_list, "List the tasks", nullptr});
    program.add({"properties", 'p', 0, G_OPTION_ARG_STRING, &task_name,
                 "Inputs and properties of a task, or of any element of GStreamer", "TASK"});
    program.add(
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "With descriptions, and all properties", nullptr});
    program.add({"devices", 'd', 0, G_OPTION_ARG_NONE, &wants_devices,
                 "List the OpenCL devices, with the memory that gst-tomo may use", nullptr});
    program.add({"json", 'j', 0, G_OPTION_ARG_NONE, &as_json, "As JSON", nullptr});
    gboolean completes = FALSE;
    program.add({"complete", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &completes, nullptr, nullptr});
    int status = ok;
    const bool parsed = program.parse(argc, argv, status);
    const Owned<gchar> task(task_name);
    if (!parsed)
        return status;
    if (completes)
        return complete(program.arguments());
    if (program.arguments() || wants_list + wants_devices + (task != nullptr) != 1) {
        program.complain("wanted one of --list, --properties TASK and --devices; see " + program.name() +
                         " --help");
        return usage;
    }
    if (wants_devices)
        return list_devices(program, as_json);
    return wants_list ? list(program, as_json, verbose) : show(program, task.get(), as_json, verbose);
}
