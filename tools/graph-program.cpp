// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "graph-program.hpp"

#include "driven/drive.hpp"
#include "driven/graph-run.hpp"
#include "interrupts.hpp"
#include "results.hpp"
#include "status-line.hpp"

#include <gst/tomo/support/bytes.hpp>
#include <gst/tomo/support/descriptors.hpp>
#include <gst/tomo/support/duration.hpp>

#include <unistd.h>

namespace tool {

// Options
// ------------------------------------------------------------------------------------------------------

Program::Program(const char *arguments, const char *summary)
    : context_(g_option_context_new(arguments)), wanted_(arguments) {
    g_option_context_set_summary(context_.get(), summary);
}

void Program::add(GOptionEntry entry) {
    const GOptionEntry entries[] = {entry, {}};
    g_option_context_add_main_entries(context_.get(), entries, nullptr);
    if (*entry.long_name && !(entry.flags & G_OPTION_FLAG_HIDDEN))
        shown_.push_back(entry);
}

std::vector<std::string> Program::option_names() const {
    std::vector<std::string> names;
    for (const auto &entry : shown_)
        names.push_back(std::string("--") + entry.long_name);
    return names;
}

tomo::Json Program::described() const {
    auto options = tomo::Json::list();
    options.add(described_option({"-h", "--help"}, "", "Print the options"));
    for (const auto &entry : shown_) {
        std::vector<std::string> names;
        if (entry.short_name)
            names.push_back(std::string{'-', entry.short_name});
        names.push_back(std::string("--") + entry.long_name);
        options.add(
            described_option(names, entry.arg_description ? entry.arg_description : "", entry.description));
    }
    auto section = described_section("Options");
    section.set("options", std::move(options));
    auto sections = tomo::Json::list();
    sections.add(std::move(section));
    auto all = described_program(name_, "[OPTION...]" + (wanted_.empty() ? "" : " " + wanted_),
                                 g_option_context_get_summary(context_.get()));
    all.set("commands", tomo::Json::list());
    all.set("sections", std::move(sections));
    return all;
}

tomo::Json described_program(const std::string &name, const std::string &usage, const std::string &about) {
    auto all = described_command(name, about);
    all.set("usage", tomo::Json::text(usage));
    return all;
}

tomo::Json described_command(const std::string &name, const std::string &about) {
    auto one = tomo::Json::object();
    one.set("name", tomo::Json::text(name));
    one.set("about", tomo::Json::text(about));
    return one;
}

tomo::Json described_section(const std::string &title) {
    auto section = tomo::Json::object();
    section.set("title", tomo::Json::text(title));
    return section;
}

tomo::Json described_option(const std::vector<std::string> &names, const std::string &value,
                            const std::string &about) {
    auto one = tomo::Json::object(), all_names = tomo::Json::list(), choices = tomo::Json::list();
    for (const auto &name : names)
        all_names.add(tomo::Json::text(name));
    const Owned<gchar *> words(g_strsplit(value.c_str(), "|", -1));
    if (g_strv_length(words.get()) > 1)
        for (gchar **word = words.get(); *word; word++)
            choices.add(tomo::Json::text(*word));
    one.set("names", std::move(all_names));
    one.set("value", tomo::Json::text(value));
    one.set("about", tomo::Json::text(about));
    one.set("choices", std::move(choices));
    return one;
}

bool Program::parse(int argc, char **argv, int &status) {
    const Owned<gchar> base(g_path_get_basename(argv[0]));
    name_ = base.get();
    gboolean version = FALSE, describe = FALSE;
    gchar **rest = nullptr;
    add({"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", nullptr});
    add({"describe", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &describe, nullptr, nullptr});
    add({G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, nullptr, nullptr});
    GError *raw = nullptr;
    const bool parsed = g_option_context_parse(context_.get(), &argc, &argv, &raw);
    const Owned<GError> error(raw);
    arguments_.reset(rest);
    if (!parsed) {
        complain(error->message + std::string("; see ") + name_ + " --help");
        status = usage;
        return false;
    }
    if (version) {
        g_print("%s %s\n", name_.c_str(), GST_TOMO_VERSION);
        status = ok;
        return false;
    }
    if (describe) {
        g_print("%s\n", described().written(true).c_str());
        status = ok;
        return false;
    }
    // GLib and GStreamer end the process where they get no descriptors for their threads and buses.
    constexpr unsigned least_files = 16;
    if (!tomo::can_open_files(least_files)) {
        complain("no more than a few files can be opened: raise the limit of open files (ulimit -n)");
        status = failed;
        return false;
    }
    return true;
}

void Program::complain(const std::string &message) const {
    if (!quieter)
        g_printerr("%s: %s\n", name_.c_str(), message.c_str());
}

std::string factory_of(GstElement *element) {
    GstElementFactory *factory = gst_element_get_factory(element);
    return factory ? gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory)) : "";
}

std::vector<GstElement *> elements_of(GstTomoGraph *graph) {
    std::vector<GstElement *> elements;
    const Owned<gchar *> names(gst_tomo_graph_list_nodes(graph));
    for (gchar **name = names.get(); *name; name++)
        elements.push_back(gst_tomo_graph_get_node(graph, *name));
    return elements;
}

std::vector<DeviceShare> device_shares(GstTomoGraph *graph) {
    std::vector<DeviceShare> shares;
    GVariant *all = gst_tomo_graph_get_device_arrays(graph);
    GVariantIter iter;
    g_variant_iter_init(&iter, all);
    guint32 device = 0;
    const gchar *name = nullptr;
    guint64 arrays = 0;
    while (g_variant_iter_next(&iter, "(u&st)", &device, &name, &arrays))
        shares.push_back({device, name, arrays});
    g_variant_unref(all);
    return shares;
}

void RunOptions::add_to(Program &program) {
    program.add({"trace", 't', 0, G_OPTION_ARG_NONE, &trace,
                 "Write the times of each element's work to trace.PID.json, for chrome://tracing or Perfetto",
                 nullptr});
    program.add({"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "No progress, only results, warnings and errors",
                 nullptr});
    program.add({"quieter", 0, 0, G_OPTION_ARG_NONE, &quieter, "No output at all", nullptr});
    program.add(
        {"max-memory", 'm', 0, G_OPTION_ARG_STRING, &memory_,
         "Bytes to keep at most where one input of a task has to wait for another one (default: half of "
         "the computer's memory)",
         "BYTES"});
    program.add(
        {"devices", 0, 0, G_OPTION_ARG_STRING, &devices_,
         "Compute on these devices side by side: all, gpu, cpu, indices, or parts of names, with commas "
         "between (default: environment variable GST_TOMO_DEVICES, else one device)",
         "DEVICES"});
    program.add(
        {"on-failure", 0, 0, G_OPTION_ARG_STRING, &on_failure_,
         "What happens where one of several devices fails: error, the default, or continue, so that the "
         "others do its arrays again",
         "error|continue"});
    program.add(
        {"progress", 0, 0, G_OPTION_ARG_STRING, &progress_,
         "How progress is told: bar, the default, or json, an object per line on standard output, for "
         "programs, which give commands on standard input",
         "bar|json"});
}

bool RunOptions::check(Program &program) {
    program.quieter = quieter;
    if (trace) { // GStreamer looks when it is initialized, which is later
        const char *others = g_getenv("GST_TRACERS");
        const std::string own = "tomotrace(file=trace." + std::to_string(getpid()) + ".json)";
        g_setenv("GST_TRACERS", (others && *others ? others + (";" + own) : own).c_str(), TRUE);
    }
    events = progress_ && std::string(progress_) == "json";
    if (progress_ && !events && std::string(progress_) != "bar") {
        program.complain(std::string("--progress does not take '") + progress_ + "'; wanted bar or json");
        return false;
    }
    continues_ = on_failure_ && std::string(on_failure_) == "continue";
    if (on_failure_ && !continues_ && std::string(on_failure_) != "error") {
        program.complain(std::string("--on-failure does not take '") + on_failure_ +
                         "'; wanted error or continue");
        return false;
    }
    if (!memory_)
        return true;
    const auto bytes = tomo::bytes_of(memory_);
    if (!bytes)
        program.complain(std::string("--max-memory does not take '") + memory_ + "'; " + tomo::wanted_bytes);
    max_memory_ = bytes.value_or(0);
    return bytes.has_value();
}

void RunOptions::set_on(GstTomoGraph *graph) const {
    if (max_memory_)
        g_object_set(graph, "max-memory", max_memory_, nullptr);
    if (devices_)
        g_object_set(graph, "devices", devices_, nullptr);
    if (on_failure_)
        g_object_set(graph, "continue-on-failure", continues_, nullptr);
}

// Progress
// -----------------------------------------------------------------------------------------------------

namespace {

class Display : public StatusLine {
  public:
    using StatusLine::StatusLine;

    void update(guint64 position, guint64 duration, guint64 output, const std::vector<DeviceShare> &devices) {
        std::string line = std::to_string(position);
        if (duration > 0)
            line += " of " + std::to_string(duration);
        line += " in, " + std::to_string(output) + " out";
        if (elapsed() > 0.5 && position > 0) {
            char rate[64];
            g_snprintf(rate, sizeof rate, ", %.3g/s", position / elapsed());
            line += rate;
            if (duration > position)
                line += ", " + tomo::duration_text(elapsed() / position * (duration - position)) + " left";
        }
        StatusLine::update(line + shares_text(devices));
    }

    void finish(double seconds, guint64 output, const std::vector<DeviceShare> &devices) {
        char line[96];
        g_snprintf(line, sizeof line, "%" G_GUINT64_FORMAT " %s in %.3f s", output,
                   output == 1 ? "array" : "arrays", seconds);
        StatusLine::finish(line + shares_text(devices));
    }

  private:
    // "; device 0 computed 48 %, device 1 52 %"
    static std::string shares_text(const std::vector<DeviceShare> &devices) {
        guint64 all = 0;
        for (const auto &share : devices)
            all += share.arrays;
        std::string text;
        for (const auto &share : devices)
            text += (text.empty() ? "; device " : ", device ") + std::to_string(share.device) +
                    (text.empty() ? " computed " : " ") +
                    std::to_string(all ? (200 * share.arrays + all) / (2 * all) : 0) + " %";
        return text;
    }
};

struct Listener {
    const Program &program;
    Display display;
    bool shows_results, stdout_is_taken;
    Results results;
    guint64 output = 0;

    static void on_progress(GstTomoGraph *graph, guint64 position, guint64 duration, guint64 output,
                            Listener *self) {
        self->output = output;
        self->display.update(position, duration, output, device_shares(graph));
    }
    static void on_message(GstTomoGraph *, GstMessage *message, Listener *self) {
        if (const std::string line = self->results.line_of(message); !line.empty())
            self->tell(line);
        if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_WARNING)
            return;
        GError *raw = nullptr;
        gst_message_parse_warning(message, &raw, nullptr);
        const Owned<GError> warning(raw);
        self->display.clear();
        self->program.complain(std::string("warning: ") + GST_MESSAGE_SRC_NAME(message) + ": " +
                               warning->message);
    }

    // A result.
    void tell(const std::string &line) {
        if (!shows_results)
            return;
        display.clear();
        if (stdout_is_taken)
            g_printerr("%s\n", line.c_str());
        else
            g_print("%s\n", line.c_str());
    }
};

} // namespace

bool writes_to_stdout(GstTomoGraph *graph) {
    for (GstElement *element : elements_of(graph)) {
        if (factory_of(element) == "fdsink")
            return true;
        gchar *name = nullptr;
        if (factory_of(element) == "tomowrite")
            g_object_get(element, "filename", &name, nullptr);
        const Owned<gchar> filename(name);
        if (factory_of(element) == "tomowrite" && (!name || !*name))
            return true;
    }
    return false;
}

std::string why_not_alone(GstTomoGraph *graph) {
    for (GstElement *element : elements_of(graph))
        for (const char *waits : {"appsrc", "appsink", "proxysrc"})
            if (factory_of(element) == waits)
                return std::string("node '") + GST_OBJECT_NAME(element) + "': " + waits +
                       " exchanges data with an application, and here is none";
    return {};
}

static int run_driven(Owned<GstTomoGraph> graph, const Program &program) {
    EventOutput output;
    CommandInput input;
    try {
        GraphRun run(std::move(graph), output);
        return drive(run, [&] {
            for (const auto &line : input.take())
                run.obey(line);
        });
    } catch (const std::exception &e) {
        program.complain(e.what());
        return failed;
    }
}

int write_graph(GstTomoGraph *graph, const char *file, const Program &program) {
    GError *raw = nullptr;
    const bool to_output = g_strcmp0(file, "-") == 0;
    const Owned<gchar> json(to_output ? gst_tomo_graph_to_json(graph, &raw) : nullptr);
    if (json)
        g_print("%s", json.get());
    else if (to_output || !gst_tomo_graph_write_json(graph, file, &raw)) {
        program.complain(Owned<GError>(raw).get());
        return failed;
    }
    return ok;
}

int run(GstTomoGraph *graph, const Program &program, const RunOptions &options) {
    catch_interrupts();
    if (options.events)
        return run_driven(Owned<GstTomoGraph>(GST_TOMO_GRAPH(g_object_ref(graph))), program);
    if (const std::string lonely = why_not_alone(graph); !lonely.empty()) {
        program.complain(lonely);
        return failed;
    }
    Listener listener{
        program, Display(!options.quiet && !options.quieter), !options.quieter, writes_to_stdout(graph), {}};
    g_signal_connect(graph, "progress", G_CALLBACK(Listener::on_progress), &listener);
    g_signal_connect(graph, "message", G_CALLBACK(Listener::on_message), &listener);
    GError *raw = nullptr;
    bool good = gst_tomo_graph_start(graph, &raw);
    if (good) {
        run_to_end({[&] { return gst_tomo_graph_poll(graph, 100) == TRUE; },
                    [&] {
                        listener.display.clear();
                        program.complain("ending the stream; once more to stop at once");
                        gst_tomo_graph_finish(graph);
                    },
                    [&] { gst_tomo_graph_abort(graph); }});
        good = gst_tomo_graph_wait(graph, &raw);
    }
    const Owned<GError> error(raw);
    double seconds = 0;
    g_object_get(graph, "time", &seconds, nullptr);
    for (const auto &line : listener.results.summary())
        listener.tell(line);
    if (good)
        listener.display.finish(seconds, listener.output, device_shares(graph));
    else {
        listener.display.clear();
        program.complain(error.get());
    }
    g_signal_handlers_disconnect_by_data(graph, &listener);
    return status_after(good);
}

} // namespace tool
