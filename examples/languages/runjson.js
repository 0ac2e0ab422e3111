// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// gjs runjson.js FILE: runs a dataflow from a JSON file.
imports.gi.versions.GstTomo = '1.0';
const { GstTomo } = imports.gi;
if (ARGV.length !== 1) {
    printerr('usage: gjs runjson.js FILE');
    imports.system.exit(2);
}
const graph = GstTomo.Graph.new_from_file(ARGV[0]);
graph.run();
