// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Walks through the elements of a running pipeline and their threads.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>
#include <gst/tomo/support/references.hpp>

#include <gst/gst.h>

#include <vector>

namespace tomo {

// The pipeline of the element, or its outermost bin, or the element itself.
GST_TOMO_API ObjectRef<GstElement> outermost(GstElement *element);
// The pad's own streaming thread; null if it has none.
GThread *thread_of(GstPad *source);
std::vector<ObjectRef<GstPad>> sinks_of(GstElement *element);
std::vector<ObjectRef<GstPad>> sources_of(GstElement *element);
bool is_join(GstElement *element, const std::vector<ObjectRef<GstPad>> &inputs);
// Whether a queue accepts no more buffers.
bool is_full(GstElement *queue);
guint get_level(GstElement *queue, const char *property);

} // namespace tomo
