-- gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- lua rescale.lua: scales the images in sinograms/ down into output.h5, and tells how far it is.
local GstTomo = require('lgi').require('GstTomo', '1.0')
local graph = GstTomo.Graph.new()
local read = assert(graph:add_node('read'))
local rescale = assert(graph:add_node('rescale'))
local write = assert(graph:add_node('write'))
read.path = 'sinograms/*.tif'
rescale.factor = 0.5
write.filename = 'output.h5:/raw'
assert(graph:connect_elements(read, rescale, 0))
assert(graph:connect_elements(rescale, write, 0))
function graph:on_progress(position, duration, output) print(string.format('%d of %d', output, duration)) end
assert(graph:run())
