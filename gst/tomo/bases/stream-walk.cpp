// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/stream-walk.hpp>

#include <gst/base/gstaggregator.h>

namespace tomo {

using PadRef = ObjectRef<GstPad>;

guint get_level(GstElement *queue, const char *property) {
    guint level = 0;
    g_object_get(queue, property, &level, nullptr);
    return level;
}

ObjectRef<GstElement> outermost(GstElement *element) {
    auto top = ObjectRef<GstObject>::referenced(GST_OBJECT(element));
    while (ObjectRef<GstObject> parent{gst_object_get_parent(top.get())})
        top = std::move(parent);
    return ObjectRef<GstElement>(GST_ELEMENT_CAST(top.release()));
}

GThread *thread_of(GstPad *source) {
    GST_OBJECT_LOCK(source);
    GstTask *task = GST_PAD_TASK(source);
    GThread *thread = task ? task->thread : nullptr;
    GST_OBJECT_UNLOCK(source);
    return thread;
}

static std::vector<PadRef> pads_of(GstElement *element, GList *GstElement::*list) {
    std::vector<PadRef> pads;
    GST_OBJECT_LOCK(element);
    for (GList *i = element->*list; i; i = i->next)
        pads.push_back(PadRef::referenced(GST_PAD(i->data)));
    GST_OBJECT_UNLOCK(element);
    return pads;
}

std::vector<PadRef> sinks_of(GstElement *element) { return pads_of(element, &GstElement::sinkpads); }

std::vector<PadRef> sources_of(GstElement *element) { return pads_of(element, &GstElement::srcpads); }

bool is_join(GstElement *element, const std::vector<PadRef> &inputs) {
    return inputs.size() > 1 || GST_IS_AGGREGATOR(element);
}

bool is_full(GstElement *queue) {
    guint buffers = 0, bytes = 0;
    guint64 time = 0, current_time = 0;
    g_object_get(queue, "max-size-buffers", &buffers, "max-size-bytes", &bytes, "max-size-time", &time,
                 "current-level-time", &current_time, nullptr);
    return (buffers && get_level(queue, "current-level-buffers") >= buffers) ||
           (bytes && get_level(queue, "current-level-bytes") >= bytes) || (time && current_time >= time);
}

} // namespace tomo
