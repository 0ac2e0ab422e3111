# gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
# SPDX-License-Identifier: LGPL-2.1-or-later

# ruby rescale.rb: scales the images in sinograms/ down into output.h5, and tells how far it is.
require 'gobject-introspection'
module GstTomo
  GObjectIntrospection::Loader.load('GstTomo', self)
end
graph = GstTomo::Graph.new
read = graph.add_node('read', nil)
rescale = graph.add_node('rescale', nil)
write = graph.add_node('write', nil)
read.set_property('path', 'sinograms/*.tif')
rescale.set_property('factor', 0.5)
write.set_property('filename', 'output.h5:/raw')
graph.connect_elements(read, rescale, 0)
graph.connect_elements(rescale, write, 0)
graph.signal_connect('progress') { |_, position, duration, output| puts "#{output} of #{duration}" }
graph.run
