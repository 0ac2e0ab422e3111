// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-runjson: runs a dataflow from a JSON file.
#include "graph-program.hpp"

int main(int argc, char **argv) {
    using namespace tool;
    Program program("FILE", "Runs a dataflow that tomo-launch --dump or UFO has written as JSON.");
    RunOptions options;
    options.add_to(program);
    int status = ok;
    if (!program.parse(argc, argv, status))
        return status;
    if (!options.check(program))
        return usage;
    if (!program.arguments() || g_strv_length(program.arguments()) != 1) {
        program.complain("wanted one JSON file; see " + program.name() + " --help");
        return usage;
    }
    GError *raw = nullptr;
    const Owned<GstTomoGraph> graph(gst_tomo_graph_new_from_file(program.arguments()[0], &raw));
    if (!graph) {
        program.complain(Owned<GError>(raw).get());
        return failed;
    }
    return run(graph.get(), program, options);
}
