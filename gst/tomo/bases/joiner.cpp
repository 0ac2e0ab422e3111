// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/bound-value.hpp>
#include <gst/tomo/support/debug.hpp>
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/bases/negotiation.hpp>

#include <algorithm>
#include <utility>

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
    joiner_of(gst)->release_pad(
        pad, [&] { GST_ELEMENT_CLASS(gst_tomo_joiner_parent_class)->release_pad(gst, pad); });
}

static gboolean gst_tomo_joiner_sink_event(GstAggregator *self, GstAggregatorPad *pad, GstEvent *event) {
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS:
    case GST_EVENT_CUSTOM_DOWNSTREAM_STICKY:
        return joiner_of(self)->sink_event(pad, tomo::EventRef(event));
    case GST_EVENT_CUSTOM_DOWNSTREAM:
        if (tomo::is_bound_value(event))
            return joiner_of(self)->sink_event(pad, tomo::EventRef(event));
        break;
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
    return joiner_of(self)->src_query(query) ||
           GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->src_query(self, query);
}

static gboolean gst_tomo_joiner_src_event(GstAggregator *self, GstEvent *event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEEK)
        return joiner_of(self)->seek(tomo::EventRef(event));
    return GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->src_event(self, event);
}

// What the aggregator does of itself with a seek.
static bool forward_seek(GstAggregator *self, GstEvent *event) {
    return GST_AGGREGATOR_CLASS(gst_tomo_joiner_parent_class)->src_event(self, event);
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
    return joiner->guard_flow([&] { return joiner->work(timeout); });
}

static GstAggregatorPad *gst_tomo_joiner_create_new_pad(GstAggregator *self, GstPadTemplate *templ,
                                                        const gchar *name, const GstCaps *) {
    return joiner_of(self)->create_pad(templ, name);
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
    // The output depends on the arrays, so it is negotiated when the first ones are there.
    aggregator->negotiate = [](GstAggregator *) -> gboolean { return TRUE; };
}

namespace tomo {

GType Joiner::parent_type() { return gst_tomo_joiner_get_type(); }

void Joiner::describe_pads(GstElementClass *klass) const {
    const CapsRef in(template_caps(info().in)), out(template_caps(info().out));
    auto add = [&](const char *name) {
        gst_element_class_add_pad_template(klass, gst_pad_template_new_with_gtype(name, GST_PAD_SINK,
                                                                                  GST_PAD_REQUEST, in.get(),
                                                                                  GST_TYPE_AGGREGATOR_PAD));
    };
    if (is_numbered())
        add("sink_%u");
    std::string optional;
    for (const auto &input : inputs()) {
        add(input.name);
        if (input.optional)
            optional += (optional.empty() ? "" : " ") + std::string(input.name);
    }
    gst_element_class_add_metadata(klass, "tomo-optional-inputs", optional.c_str());
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new_with_gtype("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                                                       out.get(), GST_TYPE_AGGREGATOR_PAD));
}

void Joiner::attach() {
    for (const auto &input : inputs()) {
        auto port = std::make_shared<Port>();
        port->name = input.name;
        port->optional = input.optional;
        ports_.push_back(std::move(port));
    }
    stop_end_of_broken_stream(aggregator()->srcpad);
    // The aggregator flushes its output before it waits for the thread that may wait for memory.
    gst_pad_add_probe(
        aggregator()->srcpad, GST_PAD_PROBE_TYPE_EVENT_FLUSH,
        [](GstPad *, GstPadProbeInfo *info, gpointer joiner) {
            auto *self = static_cast<Joiner *>(joiner);
            GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_START
                ? self->cancel(Cancel::flush)
                : self->go_on(Cancel::flush);
            return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    push_before_buffers(aggregator()->srcpad, late_events_);
}

void Joiner::property_changed(PropertyBase *property) {
    if (property->when() == When::reshapes)
        adaptation_.demand();
}

GstAggregatorPad *Joiner::create_pad(GstPadTemplate *templ, const char *name) {
    std::lock_guard<std::mutex> lock(ports_lock_);
    std::string wanted = name ? name : GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
    Port *free = nullptr;
    if (is_numbered()) {
        if (!name || wanted == "sink_%u") {
            unsigned n = 0;
            auto taken = [&](const std::string &candidate) {
                return std::any_of(ports_.begin(), ports_.end(),
                                   [&](const auto &p) { return p->name == candidate; });
            };
            while (taken(text("sink_%u", n)))
                n++;
            wanted = text("sink_%u", n);
        }
        unsigned number = 0;
        char rest = 0;
        if (std::sscanf(wanted.c_str(), "sink_%u%c", &number, &rest) != 1) {
            g_warning("%s: no input %s; inputs are sink_0, sink_1, ...", GST_OBJECT_NAME(gst()),
                      wanted.c_str());
            return nullptr;
        }
        wanted = text("sink_%u", number);
    }
    for (const auto &port : ports_)
        if (port->name == wanted)
            free = port.get();
    if (free && free->is_taken) {
        g_warning("%s: input %s is taken", GST_OBJECT_NAME(gst()), wanted.c_str());
        return nullptr;
    }
    if (!free) {
        if (!is_numbered())
            return nullptr;
        auto port = std::make_shared<Port>();
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
    free->is_taken = true;
    return pad;
}

void Joiner::release_pad(GstPad *pad, const std::function<void()> &remove) {
    const auto released = port(GST_AGGREGATOR_PAD(pad));
    {
        std::lock_guard<std::mutex> lock(ports_lock_);
        if (released) {
            released->pad = nullptr;
            released->has_info = false;
            released->last = {};
            adaptation_.demand();
        }
    }
    // Its name is free only when the element has lost it.
    remove();
    std::lock_guard<std::mutex> lock(ports_lock_);
    if (released)
        released->is_taken = false;
    if (is_numbered())
        ports_.erase(std::remove(ports_.begin(), ports_.end(), released), ports_.end());
}

std::shared_ptr<Joiner::Port> Joiner::port(GstAggregatorPad *pad) {
    std::lock_guard<std::mutex> lock(ports_lock_);
    for (const auto &port : ports_)
        if (port->pad == pad)
            return port;
    return nullptr;
}

bool Joiner::activate() {
    adapt_at_frames(true);
    forget_error();
    adaptation_.demand();
    {
        std::lock_guard<std::mutex> lock(ports_lock_);
        if (ports_.empty())
            throw Error(GST_CORE_ERROR_PAD, "no input is linked; inputs are sink_0, sink_1, ...");
        for (const auto &port : ports_)
            if (!port->pad && !port->optional)
                throw Error(GST_CORE_ERROR_PAD, text("input %s is not linked", port->name.c_str()));
        if (const auto wanted = numbered_inputs(); wanted && ports_.size() != wanted)
            throw Error(GST_CORE_ERROR_PAD,
                        text("%zu inputs are linked, wanted are %u", ports_.size(), wanted));
        for (std::size_t i = 0; !is_numbered() && i < ports_.size(); i++)
            ports_[i]->mean = takes_mean(i) ? std::make_unique<RunningMean>(*this) : nullptr;
    }
    start();
    return true;
}

void Joiner::deactivate() {
    adapt_at_frames(false);
    flush();
    stop();
    std::lock_guard<std::mutex> lock(ports_lock_);
    for (const auto &port : ports_)
        port->has_info = false;
    scan_ = sent_scan_ = {};
    late_events_.clear();
}

void Joiner::flush() {
    go_on(Cancel::flush);
    reset();
    drop_frames_in_flight();
    // The flush may have kept it from getting through.
    sent_scan_ = {};
    std::lock_guard<std::mutex> lock(ports_lock_);
    for (const auto &port : ports_) {
        port->last = port->only = {};
        port->averaged = 0;
        if (port->mean)
            port->mean->clear();
    }
    adaptation_.demand();
}

gboolean Joiner::sink_event(GstAggregatorPad *pad, EventRef event) {
    const auto from = port(pad);
    if (!from)
        return FALSE;
    std::unique_lock<std::mutex> lock(ports_lock_);
    const bool is_main = !ports_.empty() && from == ports_.front();
    lock.unlock();
    switch (GST_EVENT_TYPE(event.get())) {
    case GST_EVENT_CAPS:
        return guard(false, [&] {
            GstCaps *caps = nullptr;
            gst_event_parse_caps(event.get(), &caps);
            check_accepts(GST_PAD_CAST(pad), caps);
            const auto info = ArrayInfo::from_caps(caps);
            lock.lock();
            from->info = info;
            from->has_info = true;
            lock.unlock();
            adaptation_.demand();
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
        if (take_bound_value(gst(), event.get()))
            return TRUE;
        if (is_main && gst_event_is_tomo_scan(event.get())) {
            scan_ = std::move(event);
            adaptation_.demand();
        } else if (is_main || is_bound_value(event.get())) {
            late_events_.push_back(std::move(event));
        }
        return TRUE;
    }
}

gboolean Joiner::sink_query(GstAggregatorPad *pad, GstQuery *query) {
    return answer_sink_query(*this, GST_PAD_CAST(pad), query);
}

// The pads with a peer, in the order of the inputs.
std::vector<ObjectRef<GstPad>> Joiner::linked_pads() {
    std::lock_guard<std::mutex> lock(ports_lock_);
    std::vector<ObjectRef<GstPad>> pads;
    for (const auto &port : ports_)
        if (port->pad && gst_pad_is_linked(GST_PAD_CAST(port->pad)))
            pads.emplace_back(ObjectRef<GstPad>::referenced(GST_PAD_CAST(port->pad)));
    return pads;
}

// Positions, durations and what they are converted with are those of the first input.
bool Joiner::src_query(GstQuery *query) {
    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_CONTEXT:
        return handle_context_query(query);
    case GST_QUERY_DURATION: {
        const auto pads = linked_pads();
        if (pads.empty() || !gst_pad_peer_query(pads.front().get(), query))
            return false;
        GstFormat format = GST_FORMAT_UNDEFINED;
        gint64 frames = -1;
        gst_query_parse_duration(query, &format, &frames);
        if (format == GST_FORMAT_DEFAULT && frames >= 0)
            gst_query_set_duration(query, format, static_cast<gint64>(output_count(frames)));
        return true;
    }
    case GST_QUERY_POSITION:
    case GST_QUERY_SEEKING:
    case GST_QUERY_CONVERT: {
        const auto pads = linked_pads();
        return !pads.empty() && gst_pad_peer_query(pads.front().get(), query);
    }
    case GST_QUERY_CUSTOM: {
        const auto pads = linked_pads();
        if (is_interruption_query(query))
            return inputs_may_end_anywhere();
        return is_flow_query(query) && std::all_of(pads.begin(), pads.end(), [](const auto &pad) {
                   return flows_by_itself(pad.get(), false); // events go out with the next buffer
               });
    }
    default:
        return false;
    }
}

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
    const Seek wanted(event.get());
    // A seek that one input refuses and others follow would leave the aggregator waiting for a flush that
    // never comes.
    const char *problem = wanted.problem(true);
    for (const auto &pad : pads)
        if (!problem && (wanted.is_flushing() || is_numbered() || pad.get() == pads.front().get()) &&
            !is_seekable(pad.get(), is_numbered() || pad.get() == pads.front().get() ? wanted.format
                                                                                     : GST_FORMAT_DEFAULT))
            problem = "because an input can't";
    if (pads.empty() || problem) {
        GST_WARNING_OBJECT(gst(), "can't seek %s", problem ? problem : "without inputs");
        return false;
    }
    if (!is_numbered() && !wanted.is_flushing())
        return gst_pad_push_event(pads.front().get(), event.release());

    std::vector<std::pair<ObjectRef<GstPad>, gulong>> probes;
    if (!is_numbered()) {
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

void Joiner::add_to_means(std::unique_lock<std::mutex> &lock) {
    const auto ports = ports_; // they may be released meanwhile
    for (const auto &p : ports) {
        while (p->mean && p->pad) {
            const BufferRef buffer(gst_aggregator_pad_pop_buffer(p->pad));
            if (!buffer)
                break;
            const auto info = p->info;
            lock.unlock();
            const Array array = import(buffer.get(), info);
            if (p->count() == 0) {
                p->only = array;
            } else {
                if (p->only)
                    p->mean->add(std::exchange(p->only, {}));
                p->mean->add(array);
                limit_frames_in_flight(array);
            }
            lock.lock();
        }
    }
}

std::uint64_t Joiner::averaged(std::size_t input) {
    std::lock_guard<std::mutex> lock(ports_lock_);
    return std::max<std::uint64_t>(1, ports_[input]->averaged);
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
        if (p->mean && (has || !eos)) {
            // In a live stream, which may never end, the mean of those that came in time will do.
            if (!timeout || p->count() == 0)
                complete = false;
            continue;
        }
        if (p->mean && p->count() > 0)
            continue;
        if (eos && !p->last && p->optional)
            continue;
        if (eos && !p->last)
            throw Error(GST_STREAM_ERROR_FAILED, text("input %s ended without any image", p->name.c_str()));
        // Late in a live stream: a side input may repeat itself, the main input may not.
        if (!has && !eos && (is_main || !timeout || !p->last))
            complete = false;
    }
    ended = !has_main && all_ended;
    return complete && !ended;
}

GstClockTime Joiner::next_time() {
    std::lock_guard<std::mutex> lock(ports_lock_);
    GstClockTime time = GST_CLOCK_TIME_NONE;
    for (const auto &p : ports_) {
        if (!p->pad)
            continue;
        const BufferRef head(gst_aggregator_pad_peek_buffer(p->pad));
        const bool is_main = !is_numbered() && p == ports_.front();
        if (!head && (is_main || !(p->last || (p->mean && p->count() > 0))))
            return GST_CLOCK_TIME_NONE;
        if (head && !GST_CLOCK_TIME_IS_VALID(time) && p->pad->segment.format == GST_FORMAT_TIME)
            time = gst_segment_to_running_time(&p->pad->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(head.get()));
    }
    return time;
}

void Joiner::check_equal(const std::vector<ArrayInfo> &in) {
    const ArrayInfo &first = in.front();
    for (std::size_t i = 1; i < in.size(); i++)
        if (in[i].width != first.width || in[i].height != first.height || in[i].depth != first.depth ||
            in[i].is_complex() != first.is_complex())
            throw Error(
                GST_STREAM_ERROR_FORMAT,
                text("input %zu is %s, but input 0 is %s: wanted the same size, and all inputs real or all "
                     "complex",
                     i, in[i].describe().c_str(), first.describe().c_str()));
}

BufferRef Joiner::take_inputs(std::unique_lock<std::mutex> &lock, std::vector<Array> &in,
                              std::vector<ArrayInfo> &infos) {
    struct Taken {
        std::shared_ptr<Port> port; // which may be released meanwhile
        ArrayInfo info;
        BufferRef buffer; // none: the last array again
        Array array;
        bool is_mean;
    };
    std::vector<Taken> all;
    BufferRef times;
    GstClockTime time = GST_CLOCK_TIME_NONE;
    for (const auto &p : ports_) {
        BufferRef buffer(p->pad && !p->mean ? gst_aggregator_pad_pop_buffer(p->pad) : nullptr);
        if (buffer && !p->has_info)
            throw Error(GST_STREAM_ERROR_FORMAT,
                        text("input %s got a buffer before any caps", p->name.c_str()));
        if (buffer && !times) {
            time = stream_time(p->pad->segment, GST_BUFFER_PTS(buffer.get()));
            times = buffer;
        }
        // Who gets another array gives up the last one before that takes memory.
        Array again = p->last;
        const bool has_new_mean = p->mean && p->count() != p->averaged;
        if (buffer || has_new_mean)
            p->last = again = {};
        all.push_back({p, p->info, std::move(buffer), std::move(again), has_new_mean});
        infos.push_back(p->pad ? p->last.info() : ArrayInfo{});
    }
    lock.unlock();

    follow_time(time);
    for (std::size_t i = 0; i < all.size(); i++)
        if (all[i].buffer) {
            all[i].array = import(all[i].buffer.get(), all[i].info);
            infos[i] = all[i].info;
        } else if (all[i].is_mean) {
            Port &port = *all[i].port;
            port.averaged = port.count();
            all[i].array = port.only ? port.only : port.mean->mean();
            infos[i] = all[i].array.info();
        }
    lock.lock();
    for (const auto &taken : all) {
        if ((taken.buffer || taken.is_mean) && taken.port->pad)
            taken.port->last = taken.array;
        in.push_back(taken.array);
    }
    lock.unlock();
    return times;
}

GstFlowReturn Joiner::work(bool timeout) {
    struct AtWork {
        std::atomic<bool> &flag;
        ~AtWork() { flag = false; }
    } at_work{at_work_};
    at_work_ = true;
    return aggregate(timeout);
}

GstFlowReturn Joiner::aggregate(bool timeout) {
    if (has_failed())
        return GST_FLOW_ERROR;
    std::unique_lock<std::mutex> lock(ports_lock_);
    add_to_means(lock);
    bool ended = false;
    if (!gather(timeout, ended)) {
        if (!ended)
            return GST_AGGREGATOR_FLOW_NEED_DATA;
        std::vector<std::string> left;
        for (const auto &p : ports_)
            if (p->pad &&
                (gst_aggregator_pad_has_buffer(p->pad) || (p->mean && !p->averaged && p->count() > 0)))
                left.push_back(p->name);
        const std::string main = ports_.front()->name;
        lock.unlock();
        for (const auto &name : left)
            warn(text("input %s ended while %s still has images, which are left out", main.c_str(),
                      name.c_str()));
        const auto flow = conclude();
        return flow == GST_FLOW_OK ? GST_FLOW_EOS : flow;
    }

    std::vector<Array> in;
    std::vector<ArrayInfo> infos;
    const BufferRef times = take_inputs(lock, in, infos);
    if (!times) // flushed in between
        return GST_AGGREGATOR_FLOW_NEED_DATA;
    if (gst_pad_check_reconfigure(aggregator()->srcpad) || infos != in_infos_)
        adaptation_.demand();
    adaptation_.carry_out([&] { return negotiate(infos), GST_FLOW_OK; });

    const auto *facts = gst_buffer_get_tomo_frame_meta(times.get());
    frame_ = facts ? facts->index : GST_BUFFER_OFFSET(times.get());
    return join(in, times.get());
}

void Joiner::process(const std::vector<Array> &, Array &) {
    throw Error(GST_CORE_ERROR_NOT_IMPLEMENTED, text("%s neither processes nor joins", info().task));
}

GstFlowReturn Joiner::join(const std::vector<Array> &in, GstBuffer *facts) {
    Array out = allocate(out_info_);
    process(in, out);
    BufferRef result = out.to_buffer();
    copy_frame_metadata(facts, result.get());
    return push(out, std::move(result));
}

GstFlowReturn Joiner::conclude() {
    finish();
    return GST_FLOW_OK;
}

GstFlowReturn Joiner::push(const Array &array, BufferRef buffer) {
    if (array.info() != out_info_)
        announce(array.info());
    cl_check(clFlush(queue()), "submitting commands");
    limit_frames_in_flight(array);
    if (!output_on_device_)
        array.storage()->prefetch();
    const auto flow = gst_aggregator_finish_buffer(aggregator(), buffer.release());
    if (flow < GST_FLOW_EOS)
        join_error();
    return flow;
}

bool Joiner::inputs_may_end_anywhere() {
    const auto pads = linked_pads();
    return std::any_of(pads.begin(), pads.end(), [](const auto &pad) { return may_end_anywhere(pad.get()); });
}

std::optional<std::uint64_t> Joiner::main_count() {
    const auto pads = linked_pads();
    gint64 count = -1;
    if (pads.empty() || !gst_pad_peer_query_duration(pads.front().get(), GST_FORMAT_DEFAULT, &count) ||
        count < 0)
        return {};
    return static_cast<std::uint64_t>(count);
}

static std::string c_name(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

void Joiner::negotiate(const std::vector<ArrayInfo> &infos) {
    commit_properties();
    {
        std::lock_guard<std::mutex> lock(ports_lock_);
        for (std::size_t i = 0; i < std::min(infos.size(), ports_.size()); i++)
            if (infos[i].format != GST_TOMO_FORMAT_UNKNOWN)
                input_format(is_numbered() ? text("in%zu", i) : c_name(ports_[i]->name), infos[i].format);
    }
    in_infos_ = infos;
    if (const auto out = shape(infos); out.format != GST_TOMO_FORMAT_UNKNOWN)
        announce(out);
    EventRef scan = scan_ ? scan_event(scan_) : EventRef{};
    if (scan && (!sent_scan_ || !gst_structure_is_equal(gst_event_get_structure(scan.get()),
                                                        gst_event_get_structure(sent_scan_.get())))) {
        sent_scan_ = scan;
        late_events_.push_back(std::move(scan));
    }
}

void Joiner::announce(const ArrayInfo &out) {
    const CapsRef caps = choose_output_caps(aggregator()->srcpad, out, OutputPlace::any);
    out_info_ = out;
    output_on_device_ = is_on_device(caps.get());
    gst_aggregator_set_src_caps(aggregator(), caps.get());
}

// Several outputs, or one of many inputs
// ------------------------------------------------------------------------------------------------

GstFlowReturn JoiningReducer::join(const std::vector<Array> &in, GstBuffer *facts) {
    consume(in);
    return push_ready(facts);
}

GstFlowReturn JoiningReducer::conclude() {
    if (const auto left = unfinished_set(); left > 0 && inputs_may_end_anywhere()) {
        warn(incomplete_set_text(left));
        clear();
        return GST_FLOW_OK;
    }
    finish();
    return push_ready(nullptr);
}

GstFlowReturn JoiningReducer::push_ready(GstBuffer *facts) {
    auto flow = GST_FLOW_OK;
    for (std::uint64_t n = 0; flow == GST_FLOW_OK && ready(); n++) {
        // The aggregator takes buffers without a word while it stops.
        if (is_cancelled() || GST_PAD_IS_FLUSHING(reinterpret_cast<GstAggregator *>(gst())->srcpad))
            return GST_FLOW_FLUSHING;
        const Array array = produce();
        BufferRef buffer = array.to_buffer();
        if (facts)
            copy_frame_metadata(facts, buffer.get());
        number_output(buffer.get(), array.info(), n, produced_++);
        flow = push(array, std::move(buffer));
    }
    return flow;
}

void JoiningReducer::reset() {
    clear();
    produced_ = 0;
}

} // namespace tomo
