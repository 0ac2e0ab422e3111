# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later

# ruby runjson.rb FILE: runs a dataflow from a JSON file.
require 'gobject-introspection'
if ARGV.length != 1
  warn 'usage: ruby runjson.rb FILE'
  exit 2
end
module GstTomo
  GObjectIntrospection::Loader.load('GstTomo', self)
end
graph = GstTomo::Graph.new(ARGV[0])
graph.run
