// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-runjson: runs a dataflow from a JSON file, or the one that made a result.
#include "driven/drive.hpp"
#include "driven/graph-run.hpp"
#include "graph-program.hpp"

#ifdef HAVE_HDF5
#include <gst/files/file-format.hpp>
#include <gst/files/hdf5/pipeline.hpp>
#include <gst/tomo/support/error.hpp>

#include <fnmatch.h>
#endif

#include <cstdio>
#include <cstring>

namespace {

using namespace tool;

GstTomoGraph *graph_of_input(GError **error) {
    constexpr std::size_t largest = std::size_t{256} << 20;
    std::string json;
    char part[65536];
    while (const std::size_t got = std::fread(part, 1, sizeof part, stdin)) {
        json.append(part, got);
        if (json.size() > largest) {
            g_set_error(error, GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_SYNTAX,
                        "standard input holds more than %zu MiB; wanted a dataflow in JSON", largest >> 20);
            return nullptr;
        }
    }
    if (json.find('\0') != std::string::npos) {
        g_set_error_literal(error, GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_SYNTAX,
                            "standard input holds a byte of 0; wanted a dataflow in JSON");
        return nullptr;
    }
    return gst_tomo_graph_new_from_json(json.c_str(), error);
}

// Nodes that write files.
std::vector<GstElement *> writers_of(GstTomoGraph *graph) {
    std::vector<GstElement *> writers;
    for (GstElement *element : elements_of(graph))
        if (factory_of(element) == "tomowrite")
            writers.push_back(element);
    return writers;
}

std::string filename_of(GstElement *writer) {
    gchar *name = nullptr;
    g_object_get(writer, "filename", &name, nullptr);
    const Owned<gchar> owned(name);
    return name ? name : "";
}

#ifdef HAVE_HDF5
using tomo::io::split_location;

GstTomoGraph *graph_of_result(const Program &program, const std::string &path, GError **error) {
    try {
        const auto recorded = tomo::io::hdf5_recorded_pipeline(path);
        const Owned<gchar> here(g_get_current_dir());
        if (recorded.folder != here.get())
            program.complain("names of files are meant from here; the result was made in " + recorded.folder);
        return gst_tomo_graph_new_from_json(recorded.json.c_str(), error);
    } catch (const tomo::Error &problem) {
        g_set_error_literal(error, problem.domain, problem.code, problem.what());
        return nullptr;
    }
}

// Whether a name, in which numbers of a series may stand for "%05i", leads to that file.
bool leads_to(const std::string &name, const std::string &file) {
    if (tomo::io::same_file(name, file))
        return true;
    std::string pattern;
    bool has_number = false;
    for (std::size_t i = 0; i < name.size(); i++) {
        if (name[i] == '%' && i + 1 < name.size() && name[i + 1] != '%') {
            i = std::min(name.find_first_not_of("0123456789", i + 1), name.size() - 1);
            pattern += '*';
            has_number = true;
        } else {
            i += name[i] == '%';
            if (std::strchr("*?[\\", name[i]))
                pattern += '\\';
            pattern += name[i];
        }
    }
    const Owned<gchar> whole(g_canonicalize_filename(pattern.c_str(), nullptr)),
        wanted(g_canonicalize_filename(file.c_str(), nullptr));
    return has_number && fnmatch(whole.get(), wanted.get(), FNM_PATHNAME) == 0;
}
#endif

// Those writers that would write over the result which the dataflow comes from.
std::vector<GstElement *> writers_over(const std::vector<GstElement *> &writers, const char *input) {
    std::vector<GstElement *> found;
#ifdef HAVE_HDF5
    if (tomo::io::is_hdf5_file(input))
        for (GstElement *writer : writers)
            if (leads_to(split_location(filename_of(writer)).file, split_location(input).file))
                found.push_back(writer);
#endif
    return found;
}

GstTomoGraph *graph_of_file(const Program &program, const char *file, GError **error) {
    if (std::strcmp(file, "-") == 0)
        return graph_of_input(error);
#ifdef HAVE_HDF5
    if (tomo::io::is_hdf5_file(file))
        return graph_of_result(program, file, error);
#else
    (void)program;
#endif
    return gst_tomo_graph_new_from_file(file, error);
}

// `output` in place of the file of `writer`, in the same dataset where both are HDF5.
std::string moved(GstElement *writer, const std::string &output) {
#ifdef HAVE_HDF5
    const auto before = split_location(filename_of(writer)), after = split_location(output);
    if (!before.dataset.empty() && after.dataset.empty() &&
        tomo::io::type_of_suffix(after.file) == tomo::io::FileType::Hdf5)
        return after.file + ":" + before.dataset;
#else
    (void)writer;
#endif
    return output;
}

// What is wrong with where results go; else nothing.
std::string place_results(GstTomoGraph *graph, const char *input, const gchar *output, bool overwrite) {
    const auto writers = writers_of(graph), over = writers_over(writers, input);
    if (!output && !over.empty() && !overwrite)
        return std::string("node '") + GST_OBJECT_NAME(over.front()) + "' would write over " + input +
               ", which the dataflow comes from: give --output FILE for another file, or --overwrite";
    if (!output)
        return {};
    const auto &moving = over.empty() ? writers : over;
    if (moving.empty())
        return "--output: no node of the dataflow writes files";
    if (over.empty() && moving.size() > 1)
        return std::string("--output: several nodes write files: '") + GST_OBJECT_NAME(moving[0]) + "', '" +
               GST_OBJECT_NAME(moving[1]) + "'...; change their filename in the JSON";
    for (GstElement *writer : moving)
        g_object_set(writer, "filename", moved(writer, output).c_str(), nullptr);
    if (!overwrite && !writers_over(moving, input).empty())
        return std::string("--output names ") + input +
               ", which the dataflow comes from; --overwrite allows that";
    return {};
}

int serve_graphs(const Program &program, const RunOptions &options, bool has_output) {
    if (!options.events || program.arguments() || has_output) {
        program.complain(
            "--serve wants --progress json, and neither a file nor --output, --overwrite or --dump, because "
            "dataflows come by commands; see " +
            program.name() + " --help");
        return usage;
    }
    return serve([&](const tomo::Json &description, EventOutput &output) -> std::unique_ptr<DrivenRun> {
        GError *raw = nullptr;
        Owned<GstTomoGraph> graph(gst_tomo_graph_new_from_json(description.written(false).c_str(), &raw));
        if (!graph)
            throw std::runtime_error(Owned<GError>(raw)->message);
        options.set_on(graph.get());
        return std::make_unique<GraphRun>(std::move(graph), output);
    });
}

} // namespace

int main(int argc, char **argv) {
    Program program(
        "FILE",
        "Runs a dataflow that tomo-launch --dump or UFO has written as JSON (- reads it from standard "
        "input), or the one that made a result: FILE.h5 or FILE.h5:/path/to/dataset. A result is not "
        "written over unless --overwrite is given.");
    RunOptions options;
    gchar *output_name = nullptr, *dump_name = nullptr;
    gboolean overwrite = FALSE, serves = FALSE;
    program.add({"output", 'o', 0, G_OPTION_ARG_FILENAME, &output_name,
                 "Write to FILE instead of the file that the dataflow names", "FILE"});
    program.add({"overwrite", 0, 0, G_OPTION_ARG_NONE, &overwrite,
                 "Allow to write over the result that the dataflow comes from", nullptr});
    program.add(
        {"serve", 0, 0, G_OPTION_ARG_NONE, &serves,
         "Run the dataflows that commands on standard input bring, one after the other, until it ends; "
         "with --progress json and without FILE",
         nullptr});
    program.add(
        {"dump", 'd', 0, G_OPTION_ARG_FILENAME, &dump_name,
         "Write the dataflow as gst-tomo writes it, for instance with names in place of UFO's numbers, instead "
         "of running it",
         "FILE"});
    options.add_to(program);
    int status = ok;
    const bool parsed = program.parse(argc, argv, status);
    const Owned<gchar> output(output_name), dump(dump_name);
    if (!parsed)
        return status;
    if (!options.check(program))
        return usage;
    if (serves)
        return serve_graphs(program, options, output || overwrite || dump);
    if (!program.arguments() || g_strv_length(program.arguments()) != 1) {
        program.complain("wanted one JSON file or result; see " + program.name() + " --help");
        return usage;
    }
    GError *raw = nullptr;
    const Owned<GstTomoGraph> graph(graph_of_file(program, program.arguments()[0], &raw));
    if (!graph) {
        program.complain(Owned<GError>(raw).get());
        return failed;
    }
    if (const auto problem =
            place_results(graph.get(), program.arguments()[0], output.get(), overwrite || dump);
        !problem.empty()) {
        program.complain(problem);
        return failed;
    }
    options.set_on(graph.get());
    return dump ? write_graph(graph.get(), dump.get(), program) : run(graph.get(), program, options);
}
