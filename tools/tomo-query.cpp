// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-query: tasks and their properties, as text and as JSON.
#include "graph-program.hpp"

#include <json-glib/json-glib.h>

#include <algorithm>

namespace {

using namespace tool;

struct NodeUnref {
    void operator()(JsonNode *node) const { json_node_unref(node); }
};
using Json = std::unique_ptr<JsonNode, NodeUnref>;

const char *text_of(JsonObject *object, const char *key) {
    return json_object_get_string_member(object, key);
}

Json describe(const char *task, GError **error) {
    const Owned<gchar> text(gst_tomo_describe_task(task, error));
    return Json(text ? json_from_string(text.get(), error) : nullptr);
}

int list(const Program &program, bool as_json, bool verbose) {
    const Owned<gchar *> tasks(gst_tomo_list_tasks());
    if (!*tasks) {
        program.complain(
            "there is no task: GStreamer does not find the plugin of gst-tomo (see GST_PLUGIN_PATH)");
        return failed;
    }
    JsonArray *array = json_array_new();
    for (gchar **task = tasks.get(); *task; task++) {
        const Json info = verbose ? describe(*task, nullptr) : nullptr;
        if (as_json && info)
            json_array_add_element(array, json_node_copy(info.get()));
        else if (as_json)
            json_array_add_string_element(array, *task);
        else if (info)
            g_print("%-24s %s\n", *task, text_of(json_node_get_object(info.get()), "description"));
        else
            g_print("%s\n", *task);
    }
    const Json root(json_node_new(JSON_NODE_ARRAY));
    json_node_take_array(root.get(), array);
    if (as_json)
        g_print("%s\n", Owned<gchar>(json_to_string(root.get(), TRUE)).get());
    return ok;
}

void print_property(JsonObject *property, bool verbose) {
    JsonNode *node = json_object_get_member(property, "default");
    const Owned<gchar> usual(json_to_string(node, FALSE));
    g_print("  %-24s %s", text_of(property, "name"), text_of(property, "values"));
    if (!JSON_NODE_HOLDS_NULL(node))
        g_print("; default %s", usual.get());
    g_print("\n");
    if (!verbose)
        return;
    g_print("      %s\n", text_of(property, "description"));
    if (!json_object_has_member(property, "choices"))
        return;
    JsonArray *choices = json_object_get_array_member(property, "choices");
    for (guint i = 0; i < json_array_get_length(choices); i++) {
        JsonObject *choice = json_array_get_object_element(choices, i);
        g_print("          %-20s %s\n", text_of(choice, "name"), text_of(choice, "description"));
    }
}

int show(const Program &program, const char *task, bool as_json, bool verbose) {
    GError *raw = nullptr;
    const Json info = describe(task, &raw);
    if (!info) {
        program.complain(Owned<GError>(raw).get());
        return failed;
    }
    if (as_json) {
        g_print("%s\n", Owned<gchar>(json_to_string(info.get(), TRUE)).get());
        return ok;
    }
    JsonObject *object = json_node_get_object(info.get());
    g_print("%s: %s\n", task, text_of(object, "description"));
    JsonArray *inputs = json_object_get_array_member(object, "inputs");
    for (guint i = 0; i < json_array_get_length(inputs); i++)
        g_print("%s%s", i ? ", " : "inputs: ", json_array_get_string_element(inputs, i));
    g_print("%sproperties:\n", json_array_get_length(inputs) ? "\n" : "");
    JsonArray *properties = json_object_get_array_member(object, "properties");
    for (guint i = 0; i < json_array_get_length(properties); i++) {
        JsonObject *property = json_array_get_object_element(properties, i);
        // What all elements of a kind have is left to those who ask for it.
        if (verbose || json_object_get_boolean_member(property, "own") ||
            !json_object_has_member(object, "task"))
            print_property(property, verbose);
    }
    JsonArray *results = json_object_get_array_member(object, "results");
    if (json_array_get_length(results) > 0)
        g_print("\nresults:\n");
    for (guint i = 0; i < json_array_get_length(results); i++) {
        JsonObject *result = json_array_get_object_element(results, i);
        g_print("  %s: %s\n", text_of(result, "name"), text_of(result, "description"));
    }
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
        if (current.empty() || current[0] == '-')
            for (const char *option :
                 {"--dump", "--max-memory", "--quiet", "--quieter", "--trace", "--version"})
                if (!current.empty())
                    offer(option);
        const std::string brackets =
            current.substr(0, std::min(current.find_first_not_of('['), current.size()));
        const Owned<gchar *> tasks(gst_tomo_list_tasks());
        for (gchar **name = tasks.get(); *name; name++)
            offer(brackets + *name);
        return ok;
    }
    const Json info = describe(task.c_str(), nullptr);
    if (!info)
        return ok;
    JsonArray *properties = json_object_get_array_member(json_node_get_object(info.get()), "properties");
    for (guint i = 0; i < json_array_get_length(properties); i++) {
        JsonObject *property = json_array_get_object_element(properties, i);
        const std::string key = std::string(text_of(property, "name")) + "=";
        if (current.find('=') == std::string::npos) {
            if (json_object_get_boolean_member(property, "own") || !current.empty())
                offer(key);
        } else if (current.compare(0, key.size(), key) == 0 && json_object_has_member(property, "choices")) {
            JsonArray *choices = json_object_get_array_member(property, "choices");
            for (guint c = 0; c < json_array_get_length(choices); c++)
                offer(key + text_of(json_array_get_object_element(choices, c), "name"));
        } else if (current.compare(0, key.size(), key) == 0 &&
                   std::string(text_of(property, "type")) == "boolean") {
            offer(key + "true");
            offer(key + "false");
        }
    }
    return ok;
}

} // namespace

int main(int argc, char **argv) {
    Program program("", "Tells which tasks there are and which properties they have.");
    gboolean wants_list = FALSE, verbose = FALSE, as_json = FALSE;
    gchar *task_name = nullptr;
    program.add({"list", 'l', 0, G_OPTION_ARG_NONE, &wants_list, "List the tasks", nullptr});
    program.add({"properties", 'p', 0, G_OPTION_ARG_STRING, &task_name,
                 "Inputs and properties of a task, or of any element of GStreamer", "TASK"});
    program.add(
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "With descriptions, and all properties", nullptr});
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
    if (program.arguments() || wants_list == (task != nullptr)) {
        program.complain("wanted either --list or --properties TASK; see " + program.name() + " --help");
        return usage;
    }
    return wants_list ? list(program, as_json, verbose) : show(program, task.get(), as_json, verbose);
}
