// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/side-input.hpp>
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
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
        !transform->guard(false, [&] { return transform->activate(), true; }))
        return GST_STATE_CHANGE_FAILURE;
    const auto result = GST_ELEMENT_CLASS(gst_tomo_transform_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
        (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
        transform->deactivate();
    return result;
}

static void gst_tomo_transform_init(GstTomoTransform *) {}

static GstPad *gst_tomo_transform_request_new_pad(GstElement *element, GstPadTemplate *templ, const gchar *,
                                                  const GstCaps *) {
    auto *transform = transform_of(GST_OBJECT_CAST(element));
    return transform->guard<GstPad *>(nullptr, [&] { return transform->request_pad(templ); });
}

static void gst_tomo_transform_release_pad(GstElement *element, GstPad *pad) {
    auto *transform = transform_of(GST_OBJECT_CAST(element));
    transform->guard([&] { transform->release_pad(pad); });
}

static void gst_tomo_transform_class_init(GstTomoTransformClass *klass) {
    GST_ELEMENT_CLASS(klass)->change_state = gst_tomo_transform_change_state;
    GST_ELEMENT_CLASS(klass)->request_new_pad = gst_tomo_transform_request_new_pad;
    GST_ELEMENT_CLASS(klass)->release_pad = gst_tomo_transform_release_pad;
}

namespace tomo {

GType Transform::parent_type() { return gst_tomo_transform_get_type(); }

void Transform::describe_pads(GstElementClass *klass) const {
    const CapsRef in(template_caps(info().in)), out(template_caps(info().out));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in.get()));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get()));
    std::string names;
    for (const auto *input : side_inputs_) {
        gst_element_class_add_pad_template(
            klass, gst_pad_template_new(input->name(), GST_PAD_SINK, GST_PAD_REQUEST, in.get()));
        names += (names.empty() ? "" : " ") + std::string(input->name());
    }
    if (!names.empty())
        gst_element_class_add_metadata(klass, "tomo-optional-inputs", names.c_str());
}

GstPad *Transform::request_pad(GstPadTemplate *templ) {
    for (auto *input : side_inputs_)
        if (std::string(input->name()) == GST_PAD_TEMPLATE_NAME_TEMPLATE(templ))
            return input->add_pad(templ);
    return nullptr;
}

void Transform::release_pad(GstPad *pad) {
    gst_pad_set_active(pad, FALSE);
    for (auto *input : side_inputs_)
        input->release_pad(pad);
    gst_element_remove_pad(gst(), pad);
}

// A seek is for the main input. Side inputs begin again, and their arrays are counted from there.
gboolean Transform::src_event(GstPad *src, EventRef event) {
    if (GST_EVENT_TYPE(event.get()) != GST_EVENT_SEEK)
        return gst_pad_event_default(src, GST_OBJECT_CAST(gst()), event.release());
    for (auto *input : side_inputs_)
        input->begin_again(event.get());
    const bool passed = gst_pad_push_event(sink_, event.release());
    for (auto *input : side_inputs_)
        input->found();
    return passed;
}

void Transform::attach() {
    auto *klass = GST_ELEMENT_GET_CLASS(gst());
    sink_ = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "sink"), "sink");
    GstPad *src = gst_pad_new_from_template(gst_element_class_get_pad_template(klass, "src"), "src");
    output_.attach(src, {.choose_caps = [this, src](const ArrayInfo &out) { return output_caps(src, out); }});
    gst_pad_set_chain_function(sink_, [](GstPad *, GstObject *parent, GstBuffer *buffer) {
        return transform_of(parent)->chain(BufferRef(buffer));
    });
    gst_pad_set_event_function(sink_, [](GstPad *, GstObject *parent, GstEvent *event) {
        auto *transform = transform_of(parent);
        EventRef owned(event);
        return transform->guard(FALSE, [&] { return transform->sink_event(std::move(owned)); });
    });
    gst_pad_set_query_function(sink_, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        auto *transform = transform_of(parent);
        return transform->guard(FALSE, [&] { return transform->sink_query(query); }) ||
               gst_pad_query_default(pad, parent, query);
    });
    gst_pad_set_query_function(src, [](GstPad *pad, GstObject *parent, GstQuery *query) -> gboolean {
        auto *transform = transform_of(parent);
        return transform->guard(FALSE, [&] { return transform->src_query(query); }) ||
               gst_pad_query_default(pad, parent, query);
    });
    if (!side_inputs_.empty())
        gst_pad_set_event_function(src, [](GstPad *pad, GstObject *parent, GstEvent *event) {
            auto *transform = transform_of(parent);
            EventRef owned(event);
            return transform->guard(FALSE, [&] { return transform->src_event(pad, std::move(owned)); });
        });
    gst_element_add_pad(gst(), sink_);
    gst_element_add_pad(gst(), src);
    gst_segment_init(&segment_, GST_FORMAT_TIME);
}

void Transform::property_changed(PropertyBase *property) { output_.property_changed(*property); }

void Transform::device_changed() {
    if (has_input_)
        adapt_to_input();
}

void Transform::activate() {
    adapt_at_frames(true);
    forget_error();
    start();
}

void Transform::deactivate() noexcept {
    guard([&] { adapt_at_frames(false); });
    output_.reset();
    scan_ = {};
    has_input_ = false;
    own_latency_ = 0;
    first_wanted_ = 0;
    has_left_out_ = false;
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    for (auto *input : side_inputs_)
        input->clear();
    guard([&] { reset(); });
    stop_and_forget();
}

// Negotiation
// -------------------------------------------------------------------------------------------------

CapsRef Transform::output_caps(GstPad *src, const ArrayInfo &out) {
    return choose_output_caps(src, out, output_place());
}

bool Transform::set_caps(GstEvent *event) {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event, &caps);
    check_accepts(sink_, caps);
    const auto info = info_of(caps);
    if (has_input_ && info == in_info_)
        return true;
    // When downstream wants no more, or is being flushed, the next buffer says so; caps are not to blame.
    if (has_input_ && guard_stream([&] { return end_shape(); }) == GST_FLOW_ERROR)
        return false;
    {
        std::lock_guard<std::mutex> lock(info_lock_);
        in_info_ = info;
    }
    has_input_ = true;
    output_.demand_adaptation();
    try {
        output_.adapt([&] { return adapt_to_input(), GST_FLOW_OK; });
    } catch (const Flushing &) {
        // The next array does it; caps that could not be looked at are not refused.
    }
    return true;
}

void Transform::adapt_to_input() {
    commit_properties();
    by_itself_ = flows_by_itself(sink_);
    output_.set_live(!by_itself_);
    if (needs_device())
        input_format("in", in_info_.format);
    begin(in_info_);
    const auto duration = in_info_.frame_duration();
    const GstClockTime own = GST_CLOCK_TIME_IS_VALID(duration) ? latency() * duration : 0;
    if (own_latency_.exchange(own) != own)
        gst_element_post_message(gst(), gst_message_new_latency(GST_OBJECT(gst())));
    send_scan(scan_ ? scan_event(scan_) : own_scan_event());
}

// Data and events
// ---------------------------------------------------------------------------------------------

// Called by the thread of the stream.
bool Transform::is_result_wanted() const {
    constexpr gint64 often = 50'000; // each question goes all the way to the source
    if (const auto now = g_get_monotonic_time(); now - asked_for_end_ >= often) {
        asked_for_end_ = now;
        if (is_ending_early(sink_))
            return false;
    }
    return Element::is_result_wanted();
}

// Where an array was given up because somebody ended the stream, the stream ends here.
GstFlowReturn Transform::guard_stream(const std::function<GstFlowReturn()> &f) noexcept {
    const auto flow = guard_flow(f);
    if (flow != GST_FLOW_FLUSHING || is_cancelled())
        return flow;
    if (!std::any_of(side_inputs_.begin(), side_inputs_.end(),
                     [](auto *input) { return input->has_run_out_early(); }) &&
        !is_ending_early(sink_))
        return flow;
    has_left_out_ = true;
    return GST_FLOW_EOS;
}

GstFlowReturn Transform::chain(BufferRef buffer) {
    return guard_stream([&] {
        if (has_failed())
            return GST_FLOW_ERROR;
        if (has_left_out_)
            return GST_FLOW_EOS;
        if (!has_input_)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        "pad sink got a buffer before any caps: put a capsfilter or an "
                        "element that sets them before");
        // BaseTransform's peers in GStreamer 1.22 leave this to the element.
        follow_time(stream_time(segment_, GST_BUFFER_PTS(buffer.get())));
        const auto flow = output_.adapt([&] {
            const auto drained = end_shape();
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

GstFlowReturn Transform::push(const Array &array, BufferRef buffer) {
    negotiate(array.info());
    if (needs_device())
        submit(array);
    return output_.push(std::move(buffer));
}

GstFlowReturn Transform::push_submitted(const ArrayInfo &info, BufferRef buffer) {
    negotiate(info);
    return output_.push(std::move(buffer));
}

bool Transform::input_may_end_anywhere() const { return may_end_anywhere(sink_); }

std::optional<std::uint64_t> Transform::input_count() const {
    gint64 frames = -1;
    if (!gst_pad_peer_query_duration(sink_, GST_FORMAT_DEFAULT, &frames) || frames < 0)
        return {};
    return static_cast<std::uint64_t>(frames);
}

bool Transform::start_flush(EventRef event) {
    cancel(Cancel::flush);
    return gst_pad_push_event(output_.pad(), event.release());
}

// Those behind have to hear of it, whatever happens here.
bool Transform::stop_flush(EventRef event) {
    go_on(Cancel::flush);
    first_wanted_ = 0;
    has_left_out_ = false;
    guard([&] { reset(); });
    output_.stop_flush();
    gst_segment_init(&segment_, GST_FORMAT_TIME);
    return gst_pad_push_event(output_.pad(), event.release());
}

// The end of the stream, or of a part of it that is repeated: what stands between the parts ends it no less.
bool Transform::end(EventRef event) {
    // After an error the stream did not end, it broke: nobody downstream may take it for complete.
    // So it did where the last buffer met an error downstream: other branches of a tee have not seen any.
    const bool is_whole = GST_EVENT_TYPE(event.get()) == GST_EVENT_EOS;
    if (has_failed() || (is_whole && gst_pad_get_last_flow_return(output_.pad()) < GST_FLOW_EOS))
        return false;
    const auto flow = guard_stream([&] { return drain(); });
    if (is_whole ? flow != GST_FLOW_OK && flow != GST_FLOW_EOS : flow == GST_FLOW_ERROR) {
        // No buffer comes any more whose flow would tell upstream.
        if (is_whole && flow != GST_FLOW_FLUSHING && !has_failed())
            post_error(Error(GST_STREAM_ERROR_FAILED,
                             text("what was left at the end of the stream could not be handed on: %s",
                                  gst_flow_get_name(flow))));
        return false;
    }
    if (is_whole)
        output_.finish();
    return gst_pad_push_event(output_.pad(), event.release());
}

gboolean Transform::sink_event(EventRef event) {
    if (GST_EVENT_IS_SERIALIZED(event.get()))
        sees(event.get());
    // Frames go before what came behind them. (Caps, the end and a flush see to that themselves.)
    const auto type = GST_EVENT_TYPE(event.get());
    if (GST_EVENT_IS_SERIALIZED(event.get()) && type != GST_EVENT_CAPS && type != GST_EVENT_EOS &&
        type != GST_EVENT_SEGMENT_DONE && type != GST_EVENT_FLUSH_STOP && !has_failed())
        guard_stream([&] { return release(); });
    switch (type) {
    case GST_EVENT_CAPS:
        return set_caps(event.get());
    case GST_EVENT_SEGMENT: {
        GstSegment segment;
        gst_event_copy_segment(event.get(), &segment);
        if (segment.format == GST_FORMAT_TIME)
            segment_ = segment;
        has_left_out_ = false;
        return output_.send(std::move(event));
    }
    case GST_EVENT_EOS:
    case GST_EVENT_SEGMENT_DONE:
        return end(std::move(event));
    case GST_EVENT_FLUSH_START:
        return start_flush(std::move(event));
    case GST_EVENT_FLUSH_STOP:
        return stop_flush(std::move(event));
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        if (gst_event_is_tomo_scan(event.get())) {
            scan_ = std::move(event);
            if (has_input_)
                send_scan(scan_event(scan_));
            return TRUE;
        }
        return output_.send(std::move(event));
    default:
        return take_bound_value(gst(), event.get()) || output_.send(std::move(event));
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
        guard_stream([&] { return release(); });
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
    case GST_QUERY_CUSTOM:
        if (!is_interruption_query(query) || !has_left_out_)
            return FALSE;
        if (!gst_pad_peer_query(sink_, query))
            answer_interruption(query, {});
        return TRUE;
    default:
        return FALSE;
    }
}

} // namespace tomo
