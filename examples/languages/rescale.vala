// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// valac --pkg gsttomo-1.0 rescale.vala && ./rescale: scales the images in sinograms/ down into output.h5, and tells how far it is.
int main(string[] args) {
    Gst.init(ref args);
    try {
        var graph = new GstTomo.Graph();
        var read = graph.add_node("read", null);
        var rescale = graph.add_node("rescale", null);
        var write = graph.add_node("write", null);
        read.set("path", "sinograms/*.tif");
        rescale.set("factor", 0.5);
        write.set("filename", "output.h5:/raw");
        graph.connect_elements(read, rescale, 0);
        graph.connect_elements(rescale, write, 0);
        graph.progress.connect((position, duration, output) => {
            stdout.printf("%s of %s\n", output.to_string(), duration.to_string());
        });
        graph.run();
    } catch (Error e) {
        stderr.printf("%s\n", e.message);
        return 1;
    }
    return 0;
}
