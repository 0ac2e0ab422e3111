// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// valac --pkg gsttomo-1.0 runjson.vala && ./runjson FILE: runs a dataflow from a JSON file.
int main(string[] args) {
    Gst.init(ref args);
    if (args.length != 2) {
        stderr.printf("usage: %s FILE\n", args[0]);
        return 2;
    }
    try {
        new GstTomo.Graph.from_file(args[1]).run();
    } catch (Error e) {
        stderr.printf("%s\n", e.message);
        return 1;
    }
    return 0;
}
