// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later

// gjs rescale.js: scales the images in sinograms/ down into output.h5, and tells how far it is.
imports.gi.versions.GstTomo = '1.0';
const { GstTomo } = imports.gi;
const graph = GstTomo.Graph.new();
const read = graph.add_node('read', null);
const rescale = graph.add_node('rescale', null);
const write = graph.add_node('write', null);
read.path = 'sinograms/*.tif';
rescale.factor = 0.5;
write.filename = 'output.h5:/raw';
graph.connect_elements(read, rescale, 0);
graph.connect_elements(rescale, write, 0);
graph.connect('progress', (_, position, duration, output) => print(`${output} of ${duration}`));
graph.run();
