// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who gives to whom, and in which thread, in a pipeline that runs.
#pragma once

#include <gst/tomo/gsttomo-prelude.h>
#include <gst/tomo/support/references.hpp>

#include <gst/gst.h>

#include <vector>

namespace tomo {

// The pipeline that the element is in, or whatever is not in anything else.
GST_TOMO_API ObjectRef<GstElement> outermost(GstElement *element);
// The thread that pushes from this pad, if that is the pad's own.
GThread *thread_of(GstPad *source);
std::vector<ObjectRef<GstPad>> sinks_of(GstElement *element);
std::vector<ObjectRef<GstPad>> sources_of(GstElement *element);
bool is_join(GstElement *element, const std::vector<ObjectRef<GstPad>> &inputs);
// Whether a queue takes nothing more.
bool is_full(GstElement *queue);
guint get_level(GstElement *queue, const char *property);

} // namespace tomo
