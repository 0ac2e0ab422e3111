// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/bound-value.hpp>

namespace tomo {

using ReceiverRef = std::shared_ptr<ValueReceiver>;

static constexpr const char *event_name = "gst-tomo-bound-value";

static GType receiver_type() {
    static const GType type = g_boxed_type_register_static(
        "GstTomoValueReceiver",
        [](gpointer receiver) -> gpointer { return new ReceiverRef(*static_cast<ReceiverRef *>(receiver)); },
        [](gpointer receiver) { delete static_cast<ReceiverRef *>(receiver); });
    return type;
}

EventRef bound_value_event(ReceiverRef receiver, guint64 number, const GValue *value) {
    GstStructure *structure = gst_structure_new(event_name, "number", G_TYPE_UINT64, number, "receiver",
                                                receiver_type(), &receiver, nullptr);
    gst_structure_set_value(structure, "value", value);
    return EventRef(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, structure));
}

bool is_bound_value(GstEvent *event) {
    return GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_DOWNSTREAM && gst_event_has_name(event, event_name);
}

static const ReceiverRef &receiver_of(GstEvent *event) {
    const GValue *receiver = gst_structure_get_value(gst_event_get_structure(event), "receiver");
    return *static_cast<ReceiverRef *>(g_value_get_boxed(receiver));
}

bool replaces_bound_value(GstEvent *newer, GstEvent *older) {
    return is_bound_value(newer) && is_bound_value(older) && receiver_of(newer) == receiver_of(older);
}

bool take_bound_value(GstElement *element, GstEvent *event) {
    if (!is_bound_value(event))
        return false;
    const GstStructure *structure = gst_event_get_structure(event);
    const auto &receiver = receiver_of(event);
    if (receiver->target() != element)
        return false;
    guint64 number = 0;
    gst_structure_get_uint64(structure, "number", &number);
    receiver->deliver(number, gst_structure_get_value(structure, "value"));
    return true;
}

} // namespace tomo
