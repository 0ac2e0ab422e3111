// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the programs that run a dataflow have in common: options, progress, Ctrl-C, exit status.
#pragma once

#include <gst/tomo/gsttomo.h>
#include <gst/tomo/support/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tool {

enum Status { ok = 0, failed = 1, usage = 2 };

struct Unref {
    void operator()(gpointer object) const { g_object_unref(object); }
    void operator()(GOptionContext *context) const { g_option_context_free(context); }
    void operator()(GError *error) const { g_error_free(error); }
    void operator()(gchar *text) const { g_free(text); }
    void operator()(gchar **texts) const { g_strfreev(texts); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

// Options and arguments of a program, and what is the same for all of them.
class Program {
  public:
    // `arguments` as in "FILE"; `summary` is what it does.
    Program(const char *arguments, const char *summary);

    void add(GOptionEntry entry);
    // As shells complete them: "--version", ...
    std::vector<std::string> option_names() const;
    // Status of a program that ends here, else nothing: --help, --version, wrong options.
    bool parse(int argc, char **argv, int &status);
    gchar **arguments() const { return arguments_.get(); }
    const std::string &name() const { return name_; }
    // An error in front of all others; nothing with --quieter.
    void complain(const std::string &message) const;
    void complain(const GError *error) const { complain(error->message); }

    bool quieter = false;

  private:
    tomo::Json described() const;

    Owned<GOptionContext> context_;
    Owned<gchar *> arguments_;
    std::string name_, wanted_;
    std::vector<GOptionEntry> shown_;
};

// What a program takes, for its manual page and for shells (tools/manual): a usage, which the name stands
// before, a text, commands, and sections of options, each an object of `described_option`.
tomo::Json described_program(const std::string &name, const std::string &usage, const std::string &about);
tomo::Json described_command(const std::string &name, const std::string &about);
tomo::Json described_section(const std::string &title);
// `value` is empty where the option takes none; values that stand for themselves have bars between them.
tomo::Json described_option(const std::vector<std::string> &names, const std::string &value,
                            const std::string &about);

// Nodes of a graph in their order.
std::vector<GstElement *> elements_of(GstTomoGraph *graph);
// The name of the element's kind, "tomowrite".
std::string factory_of(GstElement *element);

// How the work of the last run went to devices that had copies of nodes; see
// gst_tomo_graph_get_device_arrays().
struct DeviceShare {
    unsigned device;
    std::string name;
    guint64 arrays;
};
std::vector<DeviceShare> device_shares(GstTomoGraph *graph);

// Whether arrays go to standard output.
bool writes_to_stdout(GstTomoGraph *graph);
// Why a graph can't run without an application; empty if it can.
std::string why_not_alone(GstTomoGraph *graph);

// Options of programs that run a graph.
class RunOptions {
  public:
    RunOptions() = default;
    ~RunOptions() {
        g_free(memory_);
        g_free(progress_);
        g_free(devices_);
        g_free(on_failure_);
    }
    RunOptions(const RunOptions &) = delete;
    RunOptions &operator=(const RunOptions &) = delete;

    gboolean quiet = FALSE, quieter = FALSE, trace = FALSE, events = FALSE;

    void add_to(Program &program);
    // After the options are read; complains if one of them is wrong.
    bool check(Program &program);
    // Hands them to a graph.
    void set_on(GstTomoGraph *graph) const;

  private:
    guint64 max_memory_ = 0;                                                                     // bytes
    gchar *memory_ = nullptr, *progress_ = nullptr, *devices_ = nullptr, *on_failure_ = nullptr; // as written
    bool continues_ = false;
};

// Runs it to its end, with progress on standard error, or events and commands as docs/progress.md has them.
// The first Ctrl-C ends the stream, the second one aborts, and ends the process where the device does not
// stop.
int run(GstTomoGraph *graph, const Program &program, const RunOptions &options);

// Writes it as JSON to a file, or to standard output (-), and returns the status of the process.
int write_graph(GstTomoGraph *graph, const char *file, const Program &program);

} // namespace tool
