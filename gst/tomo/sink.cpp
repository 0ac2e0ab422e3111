// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/negotiation.hpp>
#include <gst/tomo/sink.hpp>

struct GstTomoSink {
    GstBaseSink parent;
};
struct GstTomoSinkClass {
    GstBaseSinkClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoSink, gst_tomo_sink, GST_TYPE_BASE_SINK)

static tomo::Sink *sink_of(gpointer gst) {
    return static_cast<tomo::Sink *>(tomo::element_of(GST_ELEMENT_CAST(gst)));
}

static void gst_tomo_sink_init(GstTomoSink *self) {
    auto *base = GST_BASE_SINK(self);
    gst_base_sink_set_sync(base, FALSE);
    // The last sample would keep a large buffer for nobody.
    gst_base_sink_set_last_sample_enabled(base, FALSE);
}

static gboolean gst_tomo_sink_query(GstBaseSink *self, GstQuery *query) {
    return tomo::answer_sink_query(*sink_of(self), GST_BASE_SINK_PAD(self), query) ||
           GST_BASE_SINK_CLASS(gst_tomo_sink_parent_class)->query(self, query);
}

static gboolean gst_tomo_sink_event(GstBaseSink *self, GstEvent *event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS && !sink_of(self)->end_of_stream()) {
        gst_event_unref(event);
        return FALSE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
        sink_of(self)->flush();
    return GST_BASE_SINK_CLASS(gst_tomo_sink_parent_class)->event(self, event);
}

// GstBaseSink's own start and stop belong to READY, where every other kind of element is idle.
static GstStateChangeReturn gst_tomo_sink_change_state(GstElement *element, GstStateChange transition) {
    auto *sink = sink_of(element);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
        !sink->guard(false, [&] { return sink->activate(); }))
        return GST_STATE_CHANGE_FAILURE;
    const auto result = GST_ELEMENT_CLASS(gst_tomo_sink_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
        (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
        sink->deactivate();
    return result;
}

static void gst_tomo_sink_class_init(GstTomoSinkClass *klass) {
    auto *base = GST_BASE_SINK_CLASS(klass);
    GST_ELEMENT_CLASS(klass)->change_state = gst_tomo_sink_change_state;
    base->set_caps = [](GstBaseSink *self, GstCaps *caps) -> gboolean {
        auto *sink = sink_of(self);
        return sink->guard(false, [&] { return sink->set_caps(caps); });
    };
    base->render = [](GstBaseSink *self, GstBuffer *buffer) {
        auto *sink = sink_of(self);
        return sink->guard_flow([&] { return sink->render(buffer); });
    };
    base->query = gst_tomo_sink_query;
    base->event = gst_tomo_sink_event;
}

namespace tomo {

GType Sink::parent_type() { return gst_tomo_sink_get_type(); }

void Sink::describe_pads(GstElementClass *klass) const {
    const CapsRef in(
        template_caps(info().in, wants_device_memory() ? FirstChoice::device : FirstChoice::host));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in.get()));
}

void Sink::attach() {}

bool Sink::activate() {
    forget_error();
    has_caps_ = begun_ = has_consumed_ = restart_ = false;
    start();
    return true;
}

void Sink::deactivate() {
    if (std::exchange(begun_, false))
        guard(false, [&] { return abandon(), true; });
    stop();
}

bool Sink::set_caps(GstCaps *caps) {
    check_accepts(GST_BASE_SINK_PAD(reinterpret_cast<GstBaseSink *>(gst())), caps);
    info_ = ArrayInfo::from_caps(caps);
    begin(info_);
    has_caps_ = begun_ = true;
    return true;
}

GstFlowReturn Sink::render(GstBuffer *buffer) {
    if (has_failed())
        return GST_FLOW_ERROR;
    if (!has_caps_)
        throw Error(GST_STREAM_ERROR_FORMAT, "pad sink got a buffer before any caps");
    if (std::exchange(restart_, false)) {
        restart();
        begin(info_);
        begun_ = true;
    }
    const auto time = gst_segment_to_stream_time(&reinterpret_cast<GstBaseSink *>(gst())->segment,
                                                 GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
    if (GST_CLOCK_TIME_IS_VALID(time))
        gst_object_sync_values(GST_OBJECT(gst()), time);
    has_consumed_ = true;
    consume(buffer, info_);
    return GST_FLOW_OK;
}

bool Sink::end_of_stream() {
    if (has_failed())
        return false;
    if (!begun_)
        return true;
    return guard(false, [&] {
        // What a flush took back did not come to its end.
        restart_ ? abandon() : finish();
        begun_ = false;
        restart_ = has_consumed_;
        return true;
    });
}

void Sink::flush() { restart_ = restart_ || has_consumed_; }

} // namespace tomo
