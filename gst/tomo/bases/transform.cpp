// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/transform.hpp>

#include <algorithm>

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
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !transform->activated(true))
        return GST_STATE_CHANGE_FAILURE;
    const auto result = GST_ELEMENT_CLASS(gst_tomo_transform_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
        (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
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
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
}

void Transform::attach() {
    auto *klass = GST_ELEMENT_GET_CLASS(gst());
    sink_ = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
    src_ = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "src"), "src");
    gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) {
        return transform_of(parent)->chain(BufferRef(buffer));
    });
    gst_pad_set_event_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) {
        auto *transform = transform_of(parent);
        EventRef owned(event);
        return transform->guard(FALSE, [&] { return transform->sink_event(std::move(owned)); });
    });
    gst_pad_set_query_function(sink_, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        return transform_of(parent)->sink_query(query) || gst_pad_query_default(pad, parent, query);
    });
    gst_pad_set_query_function(src_, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        auto *transform = transform_of(parent);
        return transform->guard(FALSE, [&] { return transform->src_query(query); }) ||
               gst_pad_query_default(pad, parent, query);
    });
    gst_element_add_pad(gst(), sink_);
    gst_element_add_pad(gst(), src_);
    gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void Transform::property_changed(PropertyBase *property) {
    if (property->when() == When::reshapes)
        adaptation_.demand();
}

void Transform::device_changed() {
    if (has_input_)
        adapt_to_input();
}

bool Transform::activated(bool active) {
    adapt_at_frames(active);
    if (active) {
        forget_error();
        return guard(false, [&] { return start(), true; });
    }
    pending_.clear();
    scan_ = sent_scan_ = {};
    has_input_ = has_output_ = false;
    own_latency_ = 0;
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    return guard(false, [&] {
        first_wanted_ = 0;
        reset();
        stop();
        drop_frames_in_flight();
        return true;
    });
}

// Negotiation
// -------------------------------------------------------------------------------------------------

CapsRef Transform::output_caps(GstPad *src, const ArrayInfo &out) {
    return choose_output_caps(src, out, output_place());
}

static bool is_flushing(GstPad *src) {
    const ObjectRef<GstPad> peer(gst_pad_get_peer(src));
    return GST_PAD_IS_FLUSHING(src) || (peer && GST_PAD_IS_FLUSHING(peer.get()));
}

void Transform::negotiate(const ArrayInfo &out) {
    const bool reconfigure = gst_pad_check_reconfigure(src_);
    if (!has_output_ || out != out_info_ || reconfigure) {
        try {
            tell_caps(out);
        } catch (...) {
            if (reconfigure)
                gst_pad_mark_reconfigure(src_);
            throw;
        }
    }
    push_pending();
}

void Transform::tell_caps(const ArrayInfo &out) {
    const CapsRef chosen = output_caps(src_, out);
    const CapsRef current(gst_pad_get_current_caps(src_));
    const bool is_known = current && gst_caps_is_equal(current.get(), chosen.get());
    if (!is_known && !gst_pad_push_event(src_, gst_event_new_caps(chosen.get()))) {
        if (is_flushing(src_))
            throw Flushing();
        if (gst_pad_is_linked(src_))
            throw Error(GST_CORE_ERROR_NEGOTIATION,
                        text("gives %s, which was refused downstream", to_string(chosen.get()).c_str()));
    }
    out_info_ = out;
    has_output_ = true;
    output_on_device_ = is_on_device(chosen.get());
}

gboolean Transform::sink_caps(EventRef event) {
    return guard(false, [&] {
        GstCaps *caps = nullptr;
        gst_event_parse_caps(event.get(), &caps);
        check_accepts(sink_, caps);
        const auto info = info_of(caps);
        if (has_input_ && info == in_info_)
            return true;
        // When downstream wants no more, or is being flushed, the next buffer says so; caps are not to blame.
        if (has_input_ && drain() == GST_FLOW_ERROR)
            return false;
        {
            std::lock_guard<std::mutex> lock(info_lock_);
            in_info_ = info;
        }
        has_input_ = true;
        adaptation_.demand();
        try {
            adaptation_.carry_out([&] { return adapt_to_input(), GST_FLOW_OK; });
        } catch (const Flushing &) {
            // The next array does it; caps that could not be looked at are not refused.
        }
        return true;
    });
}

void Transform::adapt_to_input() {
    commit_properties();
    by_itself_ = flows_by_itself(sink_);
    input_changed();
    const auto duration = in_info_.frame_duration();
    const GstClockTime own = GST_CLOCK_TIME_IS_VALID(duration) ? latency() * duration : 0;
    if (own_latency_.exchange(own) != own)
        gst_element_post_message(gst(), gst_message_new_latency(GST_OBJECT(gst())));
    send_scan(scan_ ? scan_event(scan_) : own_scan_event());
}

void Transform::send_scan(EventRef event) {
    if (!event || (sent_scan_ && gst_structure_is_equal(gst_event_get_structure(sent_scan_.get()),
                                                        gst_event_get_structure(event.get()))))
        return;
    sent_scan_ = event;
    forward(std::move(event));
}

void Transform::keep(EventRef event) {
    // Of a bound value only the newest counts.
    pending_.erase(
        std::remove_if(pending_.begin(), pending_.end(),
                       [&](const auto &older) { return replaces_bound_value(event.get(), older.get()); }),
        pending_.end());
    pending_.push_back(std::move(event));
}

void Transform::push_pending() {
    for (auto &event : std::exchange(pending_, {}))
        forward(std::move(event));
}

// Data and events
// ---------------------------------------------------------------------------------------------

GstFlowReturn Transform::chain(BufferRef buffer) {
    return guard_flow([&] {
        if (has_failed())
            return GST_FLOW_ERROR;
        if (!has_input_)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        "pad sink got a buffer before any caps: put a capsfilter or an "
                        "element that sets them before");
        sync_properties(buffer.get());
        const auto flow = adaptation_.carry_out([&] {
            const auto drained = drain();
            if (drained == GST_FLOW_OK)
                adapt_to_input();
            return drained;
        });
        if (flow != GST_FLOW_OK)
            return flow;
        if (GST_BUFFER_OFFSET_IS_VALID(buffer.get()) && GST_BUFFER_OFFSET(buffer.get()) < first_wanted_)
            return GST_FLOW_OK;
        return take(buffer.get());
    });
}

// BaseTransform's peers in GStreamer 1.22 leave this to the element.
void Transform::sync_properties(GstBuffer *buffer) {
    follow_time(stream_time(segment_, GST_BUFFER_PTS(buffer)));
}

GstFlowReturn Transform::push(const Array &array, BufferRef buffer) {
    negotiate(array.info());
    if (needs_device())
        submit(array);
    return gst_pad_push(src_, buffer.release());
}

void Transform::submit(const Array &array) {
    cl_check(clFlush(queue()), "submitting commands");
    limit_frames_in_flight(array, !by_itself_);
    if (!output_on_device_)
        array.storage()->prefetch();
}

GstFlowReturn Transform::push_submitted(const ArrayInfo &info, BufferRef buffer) {
    negotiate(info);
    return gst_pad_push(src_, buffer.release());
}

bool Transform::input_may_end_anywhere() const { return may_end_anywhere(sink_); }

std::optional<std::uint64_t> Transform::input_count() const {
    gint64 frames = -1;
    if (!gst_pad_peer_query_duration(sink_, GST_FORMAT_DEFAULT, &frames) || frames < 0)
        return {};
    return static_cast<std::uint64_t>(frames);
}

GstFlowReturn Transform::push_foreign(const ArrayInfo &info, BufferRef buffer) {
    negotiate(info);
    return gst_pad_push(src_, buffer.release());
}

gboolean Transform::forward(EventRef event) {
    // Sticky events must follow the caps, which some elements know only at the end of the stream. So must
    // bound values, which are for what comes behind.
    const bool is_for_later = GST_EVENT_IS_STICKY(event.get()) || is_bound_value(event.get());
    if (!has_output_ && GST_EVENT_IS_SERIALIZED(event.get()) &&
        GST_EVENT_TYPE(event.get()) != GST_EVENT_STREAM_START) {
        if (is_for_later)
            keep(std::move(event));
        return TRUE;
    }
    EventRef kept = is_for_later ? event : EventRef();
    if (gst_pad_push_event(src_, event.release()))
        return TRUE;
    if (kept && is_flushing(src_))
        keep(std::move(kept));
    return FALSE;
}

gboolean Transform::sink_event(EventRef event) {
    // Frames go before what came behind them. (Caps, the end and a flush see to that themselves.)
    const auto type = GST_EVENT_TYPE(event.get());
    if (GST_EVENT_IS_SERIALIZED(event.get()) && type != GST_EVENT_CAPS && type != GST_EVENT_EOS &&
        type != GST_EVENT_SEGMENT_DONE && type != GST_EVENT_FLUSH_STOP && !has_failed())
        guard_flow([&] { return release(); });
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
        // So it did where the last buffer met an error downstream: other branches of a tee have not seen any.
        if (has_failed() || gst_pad_get_last_flow_return(src_) < GST_FLOW_EOS)
            return FALSE;
        const auto flow = guard_flow([&] { return drain(); });
        if (flow != GST_FLOW_OK && flow != GST_FLOW_EOS) {
            // No buffer comes any more whose flow would tell upstream.
            if (flow != GST_FLOW_FLUSHING && !has_failed())
                post_error(
                    Error(GST_STREAM_ERROR_FAILED, text("what was left at the end of the stream could not be "
                                                        "handed on: %s",
                                                        gst_flow_get_name(flow))));
            return FALSE;
        }
        if (!has_output_)
            pending_.clear();
        return gst_pad_push_event(src_, event.release());
    }
    case GST_EVENT_FLUSH_START:
        cancel(Cancel::flush);
        return gst_pad_push_event(src_, event.release());
    // What stands between the parts of a repeated stream ends it no less.
    case GST_EVENT_SEGMENT_DONE:
        if (has_failed() || guard_flow([&] { return drain(); }) == GST_FLOW_ERROR)
            return FALSE;
        return gst_pad_push_event(src_, event.release());
    case GST_EVENT_FLUSH_STOP:
        go_on(Cancel::flush);
        first_wanted_ = 0;
        reset();
        drop_frames_in_flight();
        // The segment comes anew, other facts do not.
        pending_.erase(
            std::remove_if(pending_.begin(), pending_.end(),
                           [](const auto &e) { return GST_EVENT_TYPE(e.get()) == GST_EVENT_SEGMENT; }),
            pending_.end());
        gst_segment_init(&segment_, GST_FORMAT_TIME);
        return gst_pad_push_event(src_, event.release());
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        if (gst_event_is_tomo_scan(event.get())) {
            scan_ = std::move(event);
            if (has_input_)
                send_scan(scan_event(scan_));
            return TRUE;
        }
        return forward(std::move(event));
    default:
        return take_bound_value(gst(), event.get()) || forward(std::move(event));
    }
}

// Durations and positions in frames are those of the output.
bool Transform::count_query(GstQuery *query) {
    const bool is_duration = GST_QUERY_TYPE(query) == GST_QUERY_DURATION;
    GstFormat format = GST_FORMAT_UNDEFINED;
    gint64 frames = -1;
    if (!gst_pad_peer_query(sink_, query))
        return false;
    is_duration ? gst_query_parse_duration(query, &format, &frames)
                : gst_query_parse_position(query, &format, &frames);
    if (format != GST_FORMAT_DEFAULT || frames < 0)
        return true;
    std::unique_lock<std::mutex> lock(info_lock_);
    const ArrayInfo in = in_info_;
    lock.unlock();
    const auto count = output_count(frames, in);
    frames = count ? static_cast<gint64>(*count) : -1;
    is_duration ? gst_query_set_duration(query, format, frames)
                : gst_query_set_position(query, format, frames);
    return true;
}

gboolean Transform::sink_query(GstQuery *query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_DRAIN && !has_failed())
        guard_flow([&] { return release(); });
    return answer_sink_query(*this, sink_, query);
}

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
        const GstClockTime own = own_latency_;
        gst_query_set_latency(query, live, min + own, GST_CLOCK_TIME_IS_VALID(max) ? max + own : max);
        return TRUE;
    }
    case GST_QUERY_DURATION:
    case GST_QUERY_POSITION:
        return count_query(query);
    default:
        return FALSE;
    }
}

} // namespace tomo
