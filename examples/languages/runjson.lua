-- gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
-- SPDX-License-Identifier: LGPL-2.1-or-later

-- lua runjson.lua FILE: runs a dataflow from a JSON file.
local GstTomo = require('lgi').require('GstTomo', '1.0')
if #arg ~= 1 then
    io.stderr:write('usage: lua runjson.lua FILE\n')
    os.exit(2)
end
local graph = assert(GstTomo.Graph.new_from_file(arg[1]))
assert(graph:run())
