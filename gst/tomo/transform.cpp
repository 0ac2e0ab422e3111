// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/negotiation.hpp>
#include <gst/tomo/transform.hpp>

struct GstTomoTransform {
    GstElement parent;
};
struct GstTomoTransformClass {
    GstElementClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoTransform, gst_tomo_transform, GST_TYPE_ELEMENT)

static tomo::Transform *transform_of(GstObject *parent) {
    return static_cast<tomo::Transform *>(tomo::element_of(GST_ELEMENT_CAST(parent)));
}

static GstStateChangeReturn gst_tomo_transform_change_state(GstElement *element, GstStateChange transition) {
    auto *transform = transform_of(GST_OBJECT_CAST(element));
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
        !transform->guard(false, [&] { return transform->activated(true), true; }))
        return GST_STATE_CHANGE_FAILURE;
    const auto result = GST_ELEMENT_CLASS(gst_tomo_transform_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        transform->activated(false);
    return result;
}

static void gst_tomo_transform_init(GstTomoTransform *) {}

static void gst_tomo_transform_class_init(GstTomoTransformClass *klass) {
    GST_ELEMENT_CLASS(klass)->change_state = gst_tomo_transform_change_state;
}

namespace tomo {

GType Transform::parent_type() { return gst_tomo_transform_get_type(); }

void Transform::describe_pads(GstElementClass *klass) const {
    const CapsRef in(template_caps(info().in)), out(template_caps(info().out));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in.get()));
    gst_element_class_add_pad_template(klass, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
}

void Transform::attach() {
    auto *klass = GST_ELEMENT_GET_CLASS(gst());
    sink_ = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
    src_ = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "src"), "src");
    gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) {
        return transform_of(parent)->chain(BufferRef(buffer));
    });
    gst_pad_set_event_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) {
        return transform_of(parent)->sink_event(EventRef(event));
    });
    gst_pad_set_query_function(sink_, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        return transform_of(parent)->sink_query(query) || gst_pad_query_default(pad, parent, query);
    });
    gst_pad_set_query_function(src_, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        return transform_of(parent)->src_query(query) || gst_pad_query_default(pad, parent, query);
    });
    gst_element_add_pad(gst(), sink_);
    gst_element_add_pad(gst(), src_);
    gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void Transform::property_changed(PropertyBase *property) {
    if (property->when() == When::reshapes)
        reshape_ = true;
}

void Transform::activated(bool active) {
    if (active) {
        forget_error();
        start();
        return;
    }
    reset();
    stop();
    drop_frames_in_flight();
    pending_.clear();
    has_input_ = has_output_ = false;
    gst_segment_init(&segment_, GST_FORMAT_TIME);
}

// Negotiation -------------------------------------------------------------------------------------------------

void Transform::negotiate(const ArrayInfo &out) {
    const bool reconfigure = gst_pad_check_reconfigure(src_);
    if (has_output_ && out == out_info_ && !reconfigure)
        return;

    const CapsRef chosen = choose_output_caps(src_, out, output_place());
    out_info_ = out;
    has_output_ = true;
    output_on_device_ = is_on_device(chosen.get());
    const CapsRef current(gst_pad_get_current_caps(src_));
    if ((!current || !gst_caps_is_equal(current.get(), chosen.get())) &&
        !gst_pad_push_event(src_, gst_event_new_caps(chosen.get())) && gst_pad_is_linked(src_) &&
        !GST_PAD_IS_FLUSHING(src_))
        throw Error(GST_CORE_ERROR_NEGOTIATION,
                    text("gives %s, which was refused downstream", to_string(chosen.get()).c_str()));
    for (auto &event : std::exchange(pending_, {}))
        gst_pad_push_event(src_, event.release());
}

gboolean Transform::sink_caps(EventRef event) {
    return guard(false, [&] {
        GstCaps *caps = nullptr;
        gst_event_parse_caps(event.get(), &caps);
        check_accepts(sink_, caps);
        const auto info = ArrayInfo::from_caps(caps);
        if (has_input_ && info == in_info_)
            return true;
        if (has_input_ && drain() != GST_FLOW_OK)
            return false;
        in_info_ = info;
        has_input_ = true;
        reshape_ = false;
        input_changed();
        return true;
    });
}

// Data and events ---------------------------------------------------------------------------------------------

GstFlowReturn Transform::chain(BufferRef buffer) {
    return guard_flow([&] {
        if (has_failed())
            return GST_FLOW_ERROR;
        if (!has_input_)
            throw Error(GST_STREAM_ERROR_FORMAT, "pad sink got a buffer before any caps: put a capsfilter or an "
                                                 "element that sets them before");
        sync_properties(buffer.get());
        if (reshape_.exchange(false)) {
            if (const auto flow = drain(); flow != GST_FLOW_OK)
                return flow;
            input_changed();
        }
        return take(buffer.get());
    });
}

// BaseTransform's peers in GStreamer 1.22 leave this to the element.
void Transform::sync_properties(GstBuffer *buffer) {
    const auto time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_object_sync_values(GST_OBJECT(gst()), time);
}

GstFlowReturn Transform::push(const Array &array, BufferRef buffer) {
    negotiate(array.info());
    if (needs_device()) {
        cl_check(clFlush(queue()), "submitting commands");
        limit_frames_in_flight(array);
        if (!output_on_device_)
            array.storage()->prefetch();
    }
    return gst_pad_push(src_, buffer.release());
}

gboolean Transform::forward(EventRef event) {
    // Sticky events must follow the caps, which some elements know only at the end of the stream.
    if (!has_output_ && GST_EVENT_IS_SERIALIZED(event.get()) && GST_EVENT_TYPE(event.get()) != GST_EVENT_STREAM_START) {
        if (GST_EVENT_IS_STICKY(event.get()))
            pending_.push_back(std::move(event));
        return TRUE;
    }
    return gst_pad_push_event(src_, event.release());
}

gboolean Transform::sink_event(EventRef event) {
    switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_CAPS:
        return sink_caps(std::move(event));
    case GST_EVENT_SEGMENT: {
        GstSegment segment;
        gst_event_copy_segment(event.get(), &segment);
        if (segment.format == GST_FORMAT_TIME)
            segment_ = segment;
        return forward(std::move(event));
    }
    case GST_EVENT_EOS: {
        // After an error the stream did not end, it broke: nobody downstream may take it for complete.
        if (has_failed())
            return FALSE;
        const auto flow = guard_flow([&] { return drain(); });
        if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS)
            return FALSE;
        if (!has_output_)
            pending_.clear();
        return gst_pad_push_event(src_, event.release());
    }
    case GST_EVENT_FLUSH_START:
        set_cancelled(true);
        return gst_pad_push_event(src_, event.release());
    case GST_EVENT_FLUSH_STOP:
        set_cancelled(false);
        reset();
        drop_frames_in_flight();
        pending_.clear();
        gst_segment_init(&segment_, GST_FORMAT_TIME);
        return gst_pad_push_event(src_, event.release());
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        if (gst_event_is_tomo_scan(event.get())) {
            event = scan_event(std::move(event));
            return event ? forward(std::move(event)) : TRUE;
        }
        return forward(std::move(event));
    default:
        return forward(std::move(event));
    }
}

gboolean Transform::sink_query(GstQuery *query) { return answer_sink_query(*this, sink_, query); }

gboolean Transform::src_query(GstQuery *query) {
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CONTEXT:
        return handle_context_query(query);
    case GST_QUERY_LATENCY: {
        if (!gst_pad_peer_query(sink_, query))
            return FALSE;
        gboolean live = FALSE;
        GstClockTime min = 0, max = GST_CLOCK_TIME_NONE;
        gst_query_parse_latency(query, &live, &min, &max);
        const auto duration = in_info_.frame_duration();
        if (GST_CLOCK_TIME_IS_VALID(duration)) {
            const auto own = latency() * duration;
            min += own;
            if (GST_CLOCK_TIME_IS_VALID(max))
                max += own;
        }
        gst_query_set_latency(query, live, min, max);
        return TRUE;
    }
    default:
        return FALSE;
    }
}

} // namespace tomo
