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
#include <vector>

namespace tomo {

// Checks the pipeline of an element that starts after some seconds, then every second until it has started.
// Posts one warning of the sink that gets no data, with the circle of elements that wait for each other.
void watch_preroll(GstElement *element);

// Sinks of GstBaseSink within a pipeline, at any depth.
std::vector<ObjectRef<GstElement>> sinks_in(GstElement *pipeline);

// The circle of elements that keeps data from a sink; empty if none is known to wait for ever.
std::string waiting_in_preroll(GstElement *sink);

} // namespace tomo
