// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "leave-out.hpp"

#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/device/gobject.hpp>

namespace tomo::io {

namespace {

// The element that feeds the only sink pad of `element`; null where it has several, or bins are between.
ObjectRef<GstElement> upstream_of(GstElement *element) {
    if (element->numsinkpads != 1)
        return {};
    const ObjectRef<GstPad> pad(gst_element_get_static_pad(element, "sink"));
    const ObjectRef<GstPad> peer(pad ? gst_pad_get_peer(pad.get()) : nullptr);
    auto *parent = peer ? gst_pad_get_parent(peer.get()) : nullptr;
    if (parent && !GST_IS_ELEMENT(parent)) {
        gst_object_unref(parent);
        parent = nullptr;
    }
    return ObjectRef<GstElement>(GST_ELEMENT_CAST(parent));
}

bool passes_everything(GstElement *element) {
    auto *factory = gst_element_get_factory(element);
    const std::string name = factory ? GST_OBJECT_NAME(factory) : "";
    return name == "queue" || name == "identity" || name == "capsfilter" || name == "progressreport";
}

} // namespace

// What an element computes together stays together: its numbers may depend on that. So each begins with the
// group that has the frame that the one behind begins with.
void leave_out_before(GstElement *sink, std::uint64_t frame) {
    for (auto element = upstream_of(sink); element; element = upstream_of(element.get())) {
        if (element->numsrcpads != 1)
            return;
        if (auto *filter = dynamic_cast<Filter *>(element_of(element.get()))) {
            frame -= frame % (filter->latency() + 1);
            filter->leave_out_before(frame);
        } else if (!passes_everything(element.get()))
            return;
    }
}

} // namespace tomo::io
