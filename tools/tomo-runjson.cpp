// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-runjson: runs a dataflow from a JSON file, or the one that made a result.
#include "graph-program.hpp"

#ifdef HAVE_HDF5
#include <elements/io/hdf5-pipeline.hpp>
#include <gst/tomo/error.hpp>
#endif

namespace {

#ifdef HAVE_HDF5
GstTomoGraph *graph_of_result(const std::string &path, GError **error) {
    try {
        const auto recorded = tomo::io::hdf5_recorded_pipeline(path);
        const std::unique_ptr<gchar, decltype(&g_free)> here(g_get_current_dir(), g_free);
        if (recorded.folder != here.get())
            g_printerr("names of files are meant from here; the result was made in %s\n",
                       recorded.folder.c_str());
        return gst_tomo_graph_new_from_json(recorded.json.c_str(), error);
    } catch (const tomo::Error &problem) {
        g_set_error_literal(error, problem.domain, problem.code, problem.what());
        return nullptr;
    }
}
#endif

GstTomoGraph *graph_of_file(const char *file, GError **error) {
#ifdef HAVE_HDF5
    if (tomo::io::is_hdf5_file(file))
        return graph_of_result(file, error);
#endif
    return gst_tomo_graph_new_from_file(file, error);
}

} // namespace

int main(int argc, char **argv) {
    using namespace tool;
    Program program(
        "FILE", "Runs a dataflow that tomo-launch --dump or UFO has written as JSON, or the one that made a "
                "result: FILE.h5 or FILE.h5:/path/to/dataset.");
    RunOptions options;
    options.add_to(program);
    int status = ok;
    if (!program.parse(argc, argv, status))
        return status;
    if (!options.check(program))
        return usage;
    if (!program.arguments() || g_strv_length(program.arguments()) != 1) {
        program.complain("wanted one JSON file or result; see " + program.name() + " --help");
        return usage;
    }
    GError *raw = nullptr;
    const Owned<GstTomoGraph> graph(graph_of_file(program.arguments()[0], &raw));
    if (!graph) {
        program.complain(Owned<GError>(raw).get());
        return failed;
    }
    return run(graph.get(), program, options);
}
