// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <cstdint>

namespace tomo::io {

// Tells the filters in front of a sink that frames before this one are not wanted: as far upstream as there
// are only filters and queues, that is where frames keep their numbers and nobody else gets them.
void leave_out_before(GstElement *sink, std::uint64_t frame);

} // namespace tomo::io
