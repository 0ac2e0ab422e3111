// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What GStreamer's aggregator asks of a join, and what a join asks of it.
#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/support/debug.hpp>

#define GST_CAT_DEFAULT tomo::element_debug()

struct GstTomoJoiner {
    GstAggregator parent;
};
struct GstTomoJoinerClass {
    GstAggregatorClass parent;
};
G_DEFINE_ABSTRACT_TYPE(GstTomoJoiner, gst_tomo_joiner, GST_TYPE_AGGREGATOR)

static tomo::Joiner *joiner_of(gpointer gst) {
    return static_cast<tomo::Joiner *>(tomo::element_of(GST_ELEMENT_CAST(gst)));
}

static void gst_tomo_joiner_release_pad(GstElement *gst, GstPad *pad) {
    bool is_removed = false;
    const auto remove = [&] {
        is_removed = true;
        GST_ELEMENT_CLASS(gst_tomo_joiner_parent_class)->release_pad(gst, pad);
    };
    auto *joiner = joiner_of(gst);
    joiner->guard([&] { joiner->release_pad(pad, remove); });
    if (!is_removed) // whatever failed before
        remove();
}

static gboolean gst_tomo_joiner_sink_event(GstAggregator *self, GstAggregatorPad *pad, GstEvent *event) {
    auto *joiner = joiner_of(self);
    const auto take = [&](tomo::EventRef owned) {
        return joiner->guard(FALSE, [&] { return joiner->sink_event(pad, std::move(owned)); });
    };
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        return take(tomo::EventRef(event));
    case GST_EVENT_CUSTOM_DOWNSTREAM:
        if (tomo::is_bound_value(event))
            return take(tomo::EventRef(event));
        break;
    case GST_EVENT_SEGMENT:
        take(tomo::EventRef::referenced(event));
        break;
    default:
        break;
    }
    return GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->sink_event(self, pad, event);
}

static gboolean gst_tomo_joiner_sink_query(GstAggregator *self, GstAggregatorPad *pad, GstQuery *query) {
    auto *joiner = joiner_of(self);
    return joiner->guard(FALSE, [&] { return joiner->sink_query(pad, query); }) ||
           GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->sink_query(self, pad, query);
}

static gboolean gst_tomo_joiner_src_query(GstAggregator *self, GstQuery *query) {
    auto *joiner = joiner_of(self);
    return joiner->guard(false, [&] { return joiner->src_query(query); }) ||
           GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->src_query(self, query);
}

static gboolean gst_tomo_joiner_src_event(GstAggregator *self, GstEvent *event) {
    auto *joiner = joiner_of(self);
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK)
        return joiner->guard(false, [&] { return joiner->seek(tomo::EventRef(event)); });
    return GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->src_event(self, event);
}

// What the aggregator does of itself with a seek.
static bool forward_seek(GstAggregator *self, GstEvent *event) {
    return GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->src_event(self, event);
}

static gboolean gst_tomo_joiner_start(GstAggregator *self) {
    auto *joiner = joiner_of(self);
    return joiner->guard([&] { joiner->activate(); });
}

static gboolean gst_tomo_joiner_stop(GstAggregator *self) {
    joiner_of(self)->deactivate();
    return TRUE;
}

static GstFlowReturn gst_tomo_joiner_flush(GstAggregator *self) {
    joiner_of(self)->stop_flush();
    return GST_FLOW_OK;
}

static GstFlowReturn gst_tomo_joiner_aggregate(GstAggregator *self, gboolean timeout) {
    auto *joiner = joiner_of(self);
    return joiner->guard_flow([&] { return joiner->aggregate(timeout); });
}

static GstAggregatorPad *gst_tomo_joiner_create_new_pad(GstAggregator *self, GstPadTemplate *templ,
                                                        const gchar *name, const GstCaps *) {
    auto *joiner = joiner_of(self);
    return joiner->guard<GstAggregatorPad *>(nullptr, [&] { return joiner->create_pad(templ, name); });
}

static void gst_tomo_joiner_init(GstTomoJoiner *) {}

static void gst_tomo_joiner_class_init(GstTomoJoinerClass *klass) {
    auto *aggregator = GST_AGGREGATOR_CLASS(klass);
    GST_ELEMENT_CLASS(klass)->release_pad = gst_tomo_joiner_release_pad;
    aggregator->sink_event = gst_tomo_joiner_sink_event;
    aggregator->sink_query = gst_tomo_joiner_sink_query;
    aggregator->src_query = gst_tomo_joiner_src_query;
    aggregator->src_event = gst_tomo_joiner_src_event;
    aggregator->start = gst_tomo_joiner_start;
    aggregator->stop = gst_tomo_joiner_stop;
    aggregator->flush = gst_tomo_joiner_flush;
    aggregator->aggregate = gst_tomo_joiner_aggregate;
    aggregator->get_next_time = [](GstAggregator *self) { return joiner_of(self)->next_time(); };
    aggregator->create_new_pad = gst_tomo_joiner_create_new_pad;
    // The output depends on the arrays, so it is negotiated when the next ones are there.
    aggregator->negotiate = [](GstAggregator *self) -> gboolean {
        return joiner_of(self)->renegotiate(), TRUE;
    };
}

namespace tomo {

GType Joiner::parent_type() { return gst_tomo_joiner_get_type(); }

static bool is_seekable(GstPad *sink, GstFormat format) {
    const QueryRef query(gst_query_new_seeking(format));
    gboolean seekable = FALSE;
    if (!gst_pad_peer_query(sink, query.get()))
        return false;
    gst_query_parse_seeking(query.get(), nullptr, &seekable, nullptr, nullptr);
    return seekable;
}

// Replaces a seek on its way into a source of a side input.
static GstPadProbeReturn replace_seek(GstPad *, GstPadProbeInfo *info, gpointer replacement) {
    auto *event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK &&
        gst_event_get_seqnum(event) == gst_event_get_seqnum(GST_EVENT_CAST(replacement))) {
        GST_PAD_PROBE_INFO_DATA(info) = gst_event_ref(GST_EVENT_CAST(replacement));
        gst_event_unref(event);
    }
    return GST_PAD_PROBE_OK;
}

// The aggregator sends the same seek to all inputs. But darks have no 50th projection: side inputs start
// again from their beginning.
bool Joiner::seek(EventRef event) {
    const auto pads = linked_pads();
    const bool numbered = is_numbered();
    const Seek wanted(event.get());
    // A seek that one input refuses and others follow would leave the aggregator waiting for a flush that
    // never comes.
    const char *problem = wanted.problem(true);
    for (const auto &pad : pads)
        if (!problem && (wanted.is_flushing() || numbered || pad.get() == pads.front().get()) &&
            !is_seekable(pad.get(),
                         numbered || pad.get() == pads.front().get() ? wanted.format : GST_FORMAT_DEFAULT))
            problem = "because an input can't";
    if (pads.empty() || problem) {
        GST_WARNING_OBJECT(gst(), "can't seek %s", problem ? problem : "without inputs");
        return false;
    }
    if (!numbered && !wanted.is_flushing())
        return gst_pad_push_event(pads.front().get(), event.release());

    std::vector<std::pair<ObjectRef<GstPad>, gulong>> probes;
    if (!numbered) {
        // Their end is told by EOS, whatever the main input ends with.
        const auto plain = static_cast<GstSeekFlags>(wanted.flags & ~GST_SEEK_FLAG_SEGMENT);
        const EventRef again(gst_event_new_seek(wanted.rate, GST_FORMAT_DEFAULT, plain, GST_SEEK_TYPE_SET, 0,
                                                GST_SEEK_TYPE_SET, -1));
        gst_event_set_seqnum(again.get(), gst_event_get_seqnum(event.get()));
        for (std::size_t i = 1; i < pads.size(); i++)
            if (ObjectRef<GstPad> peer(gst_pad_get_peer(pads[i].get())); peer) {
                const auto id = gst_pad_add_probe(peer.get(), GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, replace_seek,
                                                  EventRef(again).release(),
                                                  [](gpointer e) { gst_event_unref(GST_EVENT_CAST(e)); });
                probes.emplace_back(std::move(peer), id);
            }
    }
    // The aggregator notes the seek in its output's segment, in the seek's format; the segment itself follows
    // from the main input.
    GST_OBJECT_LOCK(gst());
    gst_segment_init(&GST_AGGREGATOR_PAD(aggregator()->srcpad)->segment, wanted.format);
    GST_OBJECT_UNLOCK(gst());
    const bool done = forward_seek(aggregator(), event.release());
    for (const auto &[pad, id] : probes)
        gst_pad_remove_probe(pad.get(), id);
    return done;
}

} // namespace tomo
