// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/joiner.hpp>
#include <gst/tomo/negotiation.hpp>

#include <algorithm>

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
    joiner_of(gst)->release_pad(pad);
    GST_ELEMENT_CLASS(gst_tomo_joiner_parent_class)->release_pad(gst, pad);
}

static gboolean gst_tomo_joiner_sink_event(GstAggregator *self, GstAggregatorPad *pad, GstEvent *event) {
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        return joiner_of(self)->sink_event(pad, tomo::EventRef(event));
    case GST_EVENT_SEGMENT:
        joiner_of(self)->sink_event(pad, tomo::EventRef(gst_event_ref(event)));
        break;
    default:
        break;
    }
    return GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->sink_event(self, pad, event);
}

static gboolean gst_tomo_joiner_sink_query(GstAggregator *self, GstAggregatorPad *pad, GstQuery *query) {
    return joiner_of(self)->sink_query(pad, query) ||
           GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->sink_query(self, pad, query);
}

static gboolean gst_tomo_joiner_src_query(GstAggregator *self, GstQuery *query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_CONTEXT && joiner_of(self)->handle_context_query(query))
        return TRUE;
    return GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->src_query(self, query);
}

static gboolean gst_tomo_joiner_start(GstAggregator *self) {
    auto *joiner = joiner_of(self);
    return joiner->guard(false, [&] { return joiner->activate(); });
}

static gboolean gst_tomo_joiner_stop(GstAggregator *self) {
    joiner_of(self)->deactivate();
    return TRUE;
}

static GstFlowReturn gst_tomo_joiner_flush(GstAggregator *self) {
    joiner_of(self)->flush();
    return GST_FLOW_OK;
}

static GstFlowReturn gst_tomo_joiner_aggregate(GstAggregator *self, gboolean timeout) {
    auto *joiner = joiner_of(self);
    return joiner->guard_flow([&] { return joiner->aggregate(timeout); });
}

static GstAggregatorPad *gst_tomo_joiner_create_new_pad(GstAggregator *self, GstPadTemplate *templ, const gchar *name,
                                                        const GstCaps *) {
    return joiner_of(self)->create_pad(templ, name);
}

static void gst_tomo_joiner_init(GstTomoJoiner *) {}

static void gst_tomo_joiner_class_init(GstTomoJoinerClass *klass) {
    auto *aggregator = GST_AGGREGATOR_CLASS(klass);
    GST_ELEMENT_CLASS(klass)->release_pad = gst_tomo_joiner_release_pad;
    aggregator->sink_event = gst_tomo_joiner_sink_event;
    aggregator->sink_query = gst_tomo_joiner_sink_query;
    aggregator->src_query = gst_tomo_joiner_src_query;
    aggregator->start = gst_tomo_joiner_start;
    aggregator->stop = gst_tomo_joiner_stop;
    aggregator->flush = gst_tomo_joiner_flush;
    aggregator->aggregate = gst_tomo_joiner_aggregate;
    aggregator->create_new_pad = gst_tomo_joiner_create_new_pad;
    // The output depends on the arrays, so it is negotiated when the first ones are there.
    aggregator->negotiate = [](GstAggregator *) -> gboolean { return TRUE; };
}

namespace tomo {

GType Joiner::parent_type() { return gst_tomo_joiner_get_type(); }

void Joiner::describe_pads(GstElementClass *klass) const {
    const CapsRef in(template_caps(info().in)), out(template_caps(info().out));
    auto add = [&](const char *name) {
        gst_element_class_add_pad_template(
            klass, gst_pad_template_new_with_gtype(name, GST_PAD_SINK, GST_PAD_REQUEST, in.get(),
                                                   GST_TYPE_AGGREGATOR_PAD));
    };
    if (is_numbered())
        add("sink_%u");
    for (const auto &input : inputs())
        add(input.name);
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new_with_gtype("src", GST_PAD_SRC, GST_PAD_ALWAYS, out.get(),
                                                                       GST_TYPE_AGGREGATOR_PAD));
}

void Joiner::attach() {
    for (const auto &input : inputs()) {
        auto port = std::make_unique<Port>();
        port->name = input.name;
        port->optional = input.optional;
        ports_.push_back(std::move(port));
    }
    stop_end_of_broken_stream(aggregator()->srcpad);
    // Facts of the scan go out behind the caps and the segment, which the aggregator sends with the first buffer.
    gst_pad_add_probe(
        aggregator()->srcpad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *pad, GstPadProbeInfo *, gpointer self) {
            for (auto &event : std::exchange(static_cast<Joiner *>(self)->scan_events_, {}))
                gst_pad_push_event(pad, event.release());
            return GST_PAD_PROBE_OK;
        },
        this, nullptr);
}

void Joiner::property_changed(PropertyBase *property) {
    if (property->when() == When::reshapes)
        renegotiate_ = true;
}

GstAggregatorPad *Joiner::create_pad(GstPadTemplate *templ, const char *name) {
    std::lock_guard<std::mutex> lock(ports_lock_);
    std::string wanted = name ? name : GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
    Port *free = nullptr;
    if (is_numbered()) {
        if (!name || wanted == "sink_%u") {
            unsigned n = 0;
            auto taken = [&](const std::string &candidate) {
                return std::any_of(ports_.begin(), ports_.end(), [&](const auto &p) { return p->name == candidate; });
            };
            while (taken(text("sink_%u", n)))
                n++;
            wanted = text("sink_%u", n);
        }
        unsigned number = 0;
        char rest = 0;
        if (std::sscanf(wanted.c_str(), "sink_%u%c", &number, &rest) != 1) {
            g_warning("%s: no input %s; inputs are sink_0, sink_1, ...", GST_OBJECT_NAME(gst()), wanted.c_str());
            return nullptr;
        }
        wanted = text("sink_%u", number);
    }
    for (const auto &port : ports_)
        if (port->name == wanted)
            free = port.get();
    if (free && free->pad) {
        g_warning("%s: input %s is taken", GST_OBJECT_NAME(gst()), wanted.c_str());
        return nullptr;
    }
    if (!free) {
        if (!is_numbered())
            return nullptr;
        auto port = std::make_unique<Port>();
        port->name = wanted;
        free = port.get();
        ports_.push_back(std::move(port));
        // In the order of their numbers, whatever the order of the requests.
        std::sort(ports_.begin(), ports_.end(), [](const auto &a, const auto &b) {
            return std::stoul(a->name.substr(5)) < std::stoul(b->name.substr(5));
        });
    }
    auto *pad = GST_AGGREGATOR_PAD(g_object_new(GST_TYPE_AGGREGATOR_PAD, "name", wanted.c_str(), "direction",
                                                GST_PAD_SINK, "template", templ, nullptr));
    free->pad = pad;
    return pad;
}

void Joiner::release_pad(GstPad *pad) {
    std::lock_guard<std::mutex> lock(ports_lock_);
    for (auto i = ports_.begin(); i != ports_.end(); ++i) {
        if (GST_PAD_CAST((*i)->pad) != pad)
            continue;
        if (is_numbered()) {
            ports_.erase(i);
        } else {
            (*i)->pad = nullptr;
            (*i)->has_info = false;
            (*i)->last = {};
        }
        renegotiate_ = true;
        return;
    }
}

Joiner::Port *Joiner::port(GstAggregatorPad *pad) {
    std::lock_guard<std::mutex> lock(ports_lock_);
    for (const auto &port : ports_)
        if (port->pad == pad)
            return port.get();
    return nullptr;
}

bool Joiner::activate() {
    forget_error();
    if (ports_.empty())
        throw Error(GST_CORE_ERROR_PAD, "no input is linked; inputs are sink_0, sink_1, ...");
    for (const auto &port : ports_)
        if (!port->pad && !port->optional)
            throw Error(GST_CORE_ERROR_PAD, text("input %s is not linked", port->name.c_str()));
    start();
    return true;
}

void Joiner::deactivate() {
    flush();
    stop();
    std::lock_guard<std::mutex> lock(ports_lock_);
    for (const auto &port : ports_)
        port->has_info = false;
    scan_events_.clear();
}

void Joiner::flush() {
    drop_frames_in_flight();
    std::lock_guard<std::mutex> lock(ports_lock_);
    for (const auto &port : ports_)
        port->last = {};
    main_buffer_ = {};
    renegotiate_ = true;
}

gboolean Joiner::sink_event(GstAggregatorPad *pad, EventRef event) {
    auto *from = port(pad);
    if (!from)
        return FALSE;
    const bool is_main = from == ports_.front().get();
    switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_CAPS:
        return guard(false, [&] {
            GstCaps *caps = nullptr;
            gst_event_parse_caps(event.get(), &caps);
            check_accepts(GST_PAD_CAST(pad), caps);
            from->info = ArrayInfo::from_caps(caps);
            from->has_info = true;
            renegotiate_ = true;
            return true;
        });
    case GST_EVENT_SEGMENT:
        if (is_main) {
            const GstSegment *segment = nullptr;
            gst_event_parse_segment(event.get(), &segment);
            if (segment->format == GST_FORMAT_TIME)
                gst_aggregator_update_segment(aggregator(), segment);
        }
        return TRUE;
    default:
        if (is_main)
            scan_events_.push_back(std::move(event));
        return TRUE;
    }
}

gboolean Joiner::sink_query(GstAggregatorPad *pad, GstQuery *query) {
    return answer_sink_query(*this, GST_PAD_CAST(pad), query);
}

bool Joiner::gather(bool timeout, bool &ended) {
    const bool has_main = !is_numbered();
    bool all_ended = true, complete = true;
    for (const auto &p : ports_) {
        if (!p->pad)
            continue;
        const bool is_main = has_main && p == ports_.front();
        const bool has = gst_aggregator_pad_has_buffer(p->pad);
        const bool eos = !has && gst_aggregator_pad_is_eos(p->pad);
        if (is_main && eos) {
            ended = true;
            return false;
        }
        all_ended = all_ended && eos;
        if (eos && !p->last)
            throw Error(GST_STREAM_ERROR_FAILED, text("input %s ended without any image", p->name.c_str()));
        // Late in a live stream: a side input may repeat itself, the main input may not.
        if (!has && !eos && (is_main || !timeout || !p->last))
            complete = false;
    }
    ended = !has_main && all_ended;
    return complete && !ended;
}

GstFlowReturn Joiner::aggregate(bool timeout) {
    if (has_failed())
        return GST_FLOW_ERROR;
    bool ended = false;
    if (!gather(timeout, ended)) {
        if (!ended)
            return GST_AGGREGATOR_FLOW_NEED_DATA;
        for (const auto &p : ports_)
            if (p->pad && gst_aggregator_pad_has_buffer(p->pad))
                warn(text("input %s ended while %s still has images, which are left out",
                          ports_.front()->name.c_str(), p->name.c_str()));
        finish();
        return GST_FLOW_EOS;
    }

    BufferRef times;
    for (const auto &p : ports_) {
        if (!p->pad)
            continue;
        BufferRef buffer(gst_aggregator_pad_pop_buffer(p->pad));
        if (!buffer)
            continue;
        if (!p->has_info)
            throw Error(GST_STREAM_ERROR_FORMAT, text("input %s got a buffer before any caps", p->name.c_str()));
        const auto running = gst_segment_to_stream_time(&p->pad->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer.get()));
        if (!times && GST_CLOCK_TIME_IS_VALID(running))
            gst_object_sync_values(GST_OBJECT(gst()), running);
        p->last = import(buffer.get(), p->info);
        if (!times)
            times = buffer;
    }
    if (renegotiate_.exchange(false) || gst_pad_check_reconfigure(aggregator()->srcpad))
        negotiate();

    std::vector<Array> in;
    for (const auto &p : ports_)
        in.push_back(p->last);
    Array out = allocate(out_info_);
    process(in, out);
    BufferRef result = out.to_buffer();
    if (times)
        copy_frame_metadata(times.get(), result.get());
    cl_check(clFlush(queue()), "submitting commands");
    limit_frames_in_flight(out);
    if (!output_on_device_)
        out.storage()->prefetch();
    return gst_aggregator_finish_buffer(aggregator(), result.release());
}

void Joiner::negotiate() {
    std::vector<ArrayInfo> infos;
    unsigned number = 0;
    for (const auto &p : ports_) {
        infos.push_back(p->pad ? p->info : ArrayInfo{});
        if (p->pad)
            input_format(is_numbered() ? text("in%u", number) : p->name, p->info.format);
        number++;
    }
    out_info_ = shape(infos);
    const CapsRef caps = choose_output_caps(aggregator()->srcpad, out_info_, OutputPlace::any);
    output_on_device_ = is_on_device(caps.get());
    gst_aggregator_set_src_caps(aggregator(), caps.get());
}

} // namespace tomo
