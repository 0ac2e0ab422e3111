// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tomo-launch: runs a line in the grammar of ufo-launch and gst-launch-1.0.
#include "graph-program.hpp"

int main(int argc, char **argv) {
    using namespace tool;
    Program program(
        "TASK [KEY=VALUE...] ! TASK [KEY=VALUE...] ...",
        "Runs a dataflow:\n\n"
        "  tomo-launch read path='folder/sino*.tif' ! rescale factor=0.5 ! write filename=output.h5:/raw\n"
        "  tomo-launch [ read path=a, read path=b, read path=c ] ! flat-field-correct ! write "
        "filename=d.tif\n\n"
        "Tasks are those that tomo-query lists, and all elements of GStreamer.");
    RunOptions options;
    gchar *dump_name = nullptr;
    program.add({"dump", 'd', 0, G_OPTION_ARG_FILENAME, &dump_name,
                 "Write the dataflow as JSON instead of running it", "FILE"});
    options.add_to(program);
    int status = ok;
    const bool parsed = program.parse(argc, argv, status);
    const Owned<gchar> dump(dump_name);
    if (!parsed || !options.check(program))
        return parsed ? usage : status;
    if (!program.arguments()) {
        program.complain("there is no dataflow; see " + program.name() + " --help");
        return usage;
    }
    GError *raw = nullptr;
    const Owned<GstTomoGraph> graph(gst_tomo_graph_new_from_words(program.arguments(), &raw));
    if (!graph) {
        program.complain(Owned<GError>(raw).get());
        return usage;
    }
    options.set_on(graph.get());
    return dump ? write_graph(graph.get(), dump.get(), program) : run(graph.get(), program, options);
}
