// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pipelines that never get to PAUSED, because their parts wait for each other.
//
// A sink waits with its first buffer until all sinks have one (preroll). Where several outputs of an element
// share one thread, such as those of a tee without queues, that thread then waits in the first sink and never
// brings the others anything. The same happens where it waits in a join for another of the join's inputs.
#pragma once

#include <gst/tomo/support/references.hpp>

#include <gst/gst.h>

#include <string>

namespace tomo {

// Has the pipeline of an element that starts looked at after some seconds, and every second from then on
// until it has started. Says once, in a warning of the sink that gets nothing, who waits for whom.
void watch_preroll(GstElement *element);

// Who a sink that got nothing yet waits for in a circle; empty where nobody is known to wait for ever.
std::string waiting_in_preroll(GstElement *sink);

} // namespace tomo
