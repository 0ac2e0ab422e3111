// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/preroll-watch.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/bases/source-bin.hpp>
#include <gst/tomo/graph/run.hpp>
#include <gst/tomo/support/threads.hpp>

#include <gst/base/gstbasesink.h>

#include <algorithm>

namespace tomo {

namespace {

// Counts what goes into the sinks of a pipeline and comes out of its sources.
class Meter {
  public:
    explicit Meter(const Graph &graph) {
        for (const auto &node : graph.nodes()) {
            GstElement *element = node.element.get();
            const auto runner = with_copies(element) ? node.element : runner_of_copies(element);
            if (runner && std::none_of(runners_.begin(), runners_.end(),
                                       [&](const auto &known) { return known.get() == runner.get(); }))
                runners_.push_back(runner);
            if (GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SOURCE))
                sources_.push_back({node.element, {}});
            if (!GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SINK))
                continue;
            GST_OBJECT_LOCK(element);
            for (GList *i = element->sinkpads; i; i = i->next)
                sinks_.emplace_back(ObjectRef<GstPad>::referenced(GST_PAD(i->data)), 0);
            GST_OBJECT_UNLOCK(element);
        }
        for (auto &[pad, id] : sinks_)
            id = gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, count, &output_, nullptr);
    }
    ~Meter() {
        for (const auto &[pad, id] : sinks_)
            gst_pad_remove_probe(pad.get(), id);
    }
    Meter(const Meter &) = delete;
    Meter &operator=(const Meter &) = delete;

    Progress read() {
        Progress progress;
        progress.output = output_;
        bool all_known = true;
        for (auto &source : sources_) {
            gint64 value = 0;
            // Counting may mean to look into many files: done once.
            if (!source.duration &&
                gst_element_query_duration(source.element.get(), GST_FORMAT_DEFAULT, &value) && value > 0)
                source.duration = value;
            all_known = all_known && source.duration;
            progress.duration += source.duration.value_or(0);
            if (gst_element_query_position(source.element.get(), GST_FORMAT_DEFAULT, &value) && value > 0)
                progress.position += value;
        }
        if (!all_known)
            progress.duration = 0;
        for (const auto &runner : runners_)
            for (const auto &copy : with_copies(runner.get())->copies())
                add(progress.devices, {copy.device, copy.name, copy.arrays});
        return progress;
    }

  private:
    struct Source {
        ObjectRef<GstElement> element;
        std::optional<guint64> duration;
    };
    static GstPadProbeReturn count(GstPad *, GstPadProbeInfo *, gpointer counter) {
        ++*static_cast<std::atomic<guint64> *>(counter);
        return GST_PAD_PROBE_OK;
    }

    static void add(std::vector<DeviceArrays> &all, DeviceArrays one) {
        for (auto &known : all)
            if (known.device == one.device) {
                known.arrays += one.arrays;
                return;
            }
        all.push_back(std::move(one));
    }

    std::vector<Source> sources_;
    std::vector<ObjectRef<GstElement>> runners_; // of copies
    std::vector<std::pair<ObjectRef<GstPad>, gulong>> sinks_;
    std::atomic<guint64> output_{0};
};

} // namespace

constexpr char mark_name[] = "tomo-mark"; // message of sync()

static bool is_mark(GstMessage *message) {
    return GST_MESSAGE_TYPE(message) == GST_MESSAGE_APPLICATION && gst_message_has_name(message, mark_name);
}

void Runner::start(Graph &graph) {
    use_threads();
    join_after_end();
    std::lock_guard<std::mutex> thread_lock(thread_lock_);
    std::unique_lock<std::mutex> lock(lock_);
    if (running_ || thread_.joinable())
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "the graph is running already");
    const auto pipeline = ObjectRef<GstElement>::referenced(graph.pipeline());
    graph.forget_values();
    events_.clear();
    error_.reset();
    aborted_ = is_ending_ = is_active_ = false;
    running_ = true;
    sources_.clear();
    for (const auto &node : graph.nodes())
        if (GST_OBJECT_FLAG_IS_SET(node.element.get(), GST_ELEMENT_FLAG_SOURCE))
            sources_.push_back(node.element);
    seconds_ = 0;
    devices_.clear();
    marks_ = marks_seen_ = 0;
    pipeline_ = pipeline;
    try {
        thread_ = start_thread([this, &graph, pipeline] { run(graph, pipeline); });
    } catch (...) {
        running_ = false;
        sources_.clear();
        pipeline_ = {};
        throw;
    }
}

// Of a pad whose stream is ended from outside: whether an array was lost by that. What comes to its own end
// just then is whole.
struct Cut {
    std::atomic<bool> lost{false};
};

static Interruption interruption_at(GstElement *source) {
    Interruption interruption;
    gint64 arrays = -1;
    if (gst_element_query_position(source, GST_FORMAT_DEFAULT, &arrays) && arrays > 0)
        interruption.came = arrays - 1; // one was given, and thrown away
    if (gst_element_query_duration(source, GST_FORMAT_DEFAULT, &arrays) && arrays >= 0)
        interruption.announced = arrays;
    return interruption;
}

static GstPadProbeReturn tell_cut(GstPad *pad, GstPadProbeInfo *info, gpointer user_data) {
    if (is_early_end_query(GST_PAD_PROBE_INFO_QUERY(info)))
        return GST_PAD_PROBE_HANDLED;
    if (!is_interruption_query(GST_PAD_PROBE_INFO_QUERY(info)))
        return GST_PAD_PROBE_OK;
    if (!static_cast<std::shared_ptr<Cut> *>(user_data)->get()->lost)
        return GST_PAD_PROBE_OK;
    const ObjectRef<GstElement> source(gst_pad_get_parent_element(pad));
    if (source)
        answer_interruption(GST_PAD_PROBE_INFO_QUERY(info), interruption_at(source.get()));
    return GST_PAD_PROBE_HANDLED;
}

static void forget_cut(gpointer cut) { delete static_cast<std::shared_ptr<Cut> *>(cut); }

// Takes the next array of a source for the end of its stream.
static GstPadProbeReturn end_stream(GstPad *, GstPadProbeInfo *info, gpointer cut) {
    static_cast<std::shared_ptr<Cut> *>(cut)->get()->lost = true;
    gst_mini_object_unref(GST_MINI_OBJECT(GST_PAD_PROBE_INFO_DATA(info)));
    GST_PAD_PROBE_INFO_DATA(info) = nullptr;
    GST_PAD_PROBE_INFO_FLOW_RETURN(info) = GST_FLOW_EOS;
    return GST_PAD_PROBE_HANDLED;
}

static bool is_appsrc(GstElement *source) {
    GstElementFactory *factory = gst_element_get_factory(source);
    return factory && g_strcmp0(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory)), "appsrc") == 0;
}

static bool is_ours(GstElement *source) {
    Element *element = element_of(source);
    return dynamic_cast<Source *>(element) || dynamic_cast<SourceBin *>(element);
}

// Our sources end at once. An EOS event for others would wait for sources that wait to get rid of an array,
// and hold up a change of state until then: their next array is taken for the end.
void Runner::end() {
    {
        std::lock_guard<std::mutex> lock(lock_);
        if (!pipeline_ || is_ending_)
            return;
        is_ending_ = true;
        for (const auto &source : sources_)
            if (!is_ours(source.get()))
                end_foreign(source.get());
        if (!is_active_) // who starts sources ends them then
            return;
    }
    end_active();
}

void Runner::end_active() {
    std::vector<ObjectRef<GstElement>> ours, fed;
    {
        std::lock_guard<std::mutex> lock(lock_);
        for (const auto &source : sources_)
            if (is_ours(source.get()))
                ours.push_back(source);
            else if (is_appsrc(source.get()))
                fed.push_back(source);
    }
    // Without the lock: they take locks of their own, and an application may ask the graph about its run.
    for (const auto &source : ours)
        gst_element_send_event(source.get(), gst_event_new_eos());
    for (const auto &source : fed) {
        GstFlowReturn result = GST_FLOW_OK; // it may wait for the application
        g_signal_emit_by_name(source.get(), "end-of-stream", &result);
    }
}

void Runner::end_foreign(GstElement *source) {
    std::vector<ObjectRef<GstPad>> pads;
    GST_OBJECT_LOCK(source);
    for (GList *i = source->srcpads; i; i = i->next)
        pads.push_back(ObjectRef<GstPad>::referenced(GST_PAD(i->data)));
    GST_OBJECT_UNLOCK(source);
    constexpr auto data =
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
    for (const auto &pad : pads) {
        const auto cut = std::make_shared<Cut>();
        // An application's source stops at once, with what it would have given.
        cut->lost = is_appsrc(source) && !GST_PAD_IS_EOS(pad.get());
        const auto shared = [&] { return std::make_unique<std::shared_ptr<Cut>>(cut).release(); };
        for (const auto &[kind, callback] :
             {std::pair{data, &end_stream}, std::pair{GST_PAD_PROBE_TYPE_QUERY_UPSTREAM, &tell_cut}})
            ends_.emplace_back(pad, gst_pad_add_probe(pad.get(), kind, callback, shared(), forget_cut));
    }
}

void Runner::abort() {
    {
        std::lock_guard<std::mutex> lock(lock_);
        if (!pipeline_)
            return;
        aborted_ = true;
    }
    wake("tomo-abort");
}

// The thread at the bus changes the state, so that nobody starts a pipeline again that it has stopped.
void Runner::pause(bool is_paused) {
    if (paused_.exchange(is_paused) != is_paused)
        wake("tomo-pause");
}

// Messages of a bus keep their order.
void Runner::sync() {
    std::uint64_t mark = 0;
    {
        std::lock_guard<std::mutex> lock(lock_);
        if (!running_)
            return;
        mark = ++marks_;
    }
    wake(mark_name);
    wait_until([&] { return marks_seen_ >= mark || !running_; });
}

void Runner::wake(const char *why) {
    ObjectRef<GstElement> pipeline;
    {
        std::lock_guard<std::mutex> lock(lock_);
        pipeline = pipeline_;
    }
    // Without the lock: an application's handler may see the message at once, and ask the graph about its
    // run.
    if (pipeline)
        gst_element_post_message(pipeline.get(), gst_message_new_application(GST_OBJECT(pipeline.get()),
                                                                             gst_structure_new_empty(why)));
}

void Runner::tell(RunEvent event) {
    push(std::move(event), [](auto &events, const RunEvent &newer) {
        // Nobody needs old numbers.
        if (!events.empty() && std::holds_alternative<Progress>(newer) &&
            std::holds_alternative<Progress>(events.back()))
            events.pop_back();
    });
}

std::vector<DeviceArrays> Runner::devices() const {
    std::lock_guard<std::mutex> lock(lock_);
    return devices_;
}

double Runner::seconds() const {
    std::lock_guard<std::mutex> lock(lock_);
    return seconds_;
}

Error Runner::error_of(const Graph &graph, GstMessage *message) const {
    GError *raw = nullptr;
    gchar *debug = nullptr;
    gst_message_parse_error(message, &raw, &debug);
    const std::unique_ptr<GError, decltype(&g_error_free)> error(raw, g_error_free);
    const CString details(debug);
    std::string where;
    for (GstObject *o = GST_MESSAGE_SRC(message); o; o = GST_OBJECT_PARENT(o))
        if (const auto n = GST_IS_ELEMENT(o) ? graph.find(GST_ELEMENT(o)) : std::nullopt) {
            where = "node '" + graph.nodes()[*n].name + "': ";
            break;
        }
    return Error(error->domain, error->code, where + error->message, details ? details.get() : "");
}

static bool is_changing_state(GstElement *pipeline) {
    return gst_element_get_state(pipeline, nullptr, nullptr, 0) == GST_STATE_CHANGE_ASYNC;
}

// Whether the streaming thread of a sink that plays still stands where PAUSED held it.
static bool has_sleeping_sink(GstElement *pipeline) {
    for (const auto &element : sinks_in(pipeline)) {
        auto *sink = GST_BASE_SINK(element.get());
        if (!g_mutex_trylock(GST_BASE_SINK_GET_PREROLL_LOCK(sink)))
            continue; // it renders
        const bool sleeps = sink->have_preroll;
        GST_BASE_SINK_PREROLL_UNLOCK(sink);
        if (sleeps)
            return true;
    }
    return false;
}

void Runner::listen(const Graph &graph, GstElement *pipeline) {
    const ObjectRef<GstBus> bus(gst_element_get_bus(pipeline));
    Meter meter(graph);
    Progress shown;
    auto show = [&] {
        const Progress now = meter.read();
        if (now == shown)
            return;
        {
            std::lock_guard<std::mutex> lock(lock_);
            devices_ = now.devices;
        }
        tell(now);
        shown = now;
    };
    bool is_paused = paused_;
    bool failed = gst_element_set_state(pipeline, is_paused ? GST_STATE_PAUSED : GST_STATE_PLAYING) ==
                  GST_STATE_CHANGE_FAILURE;
    bool is_ending = false;
    {
        std::lock_guard<std::mutex> lock(lock_);
        is_active_ = true;
        is_ending = is_ending_;
    }
    if (is_ending)
        end_active();
    constexpr GstClockTime tick = 100 * GST_MSECOND;
    GstClockTime next = gst_util_get_timestamp() + tick;
    while (!aborted_) {
        const auto now = gst_util_get_timestamp();
        const MessageRef message(gst_bus_timed_pop(bus.get(), failed ? 0 : next > now ? next - now : 0));
        if (!message && failed)
            throw Error(GST_CORE_ERROR_STATE_CHANGE, "the pipeline does not start, and no element says why");
        if (gst_util_get_timestamp() >= next && !failed) {
            show();
            next = gst_util_get_timestamp() + tick;
        }
        // GstBin loses the end of a change to PLAYING that a change to PAUSED interrupts, and waits for it
        // from then on. GstBaseSink takes a thread that has not woken yet for one that waits, and lets it go.
        if (!failed && paused_ != is_paused &&
            (is_paused || (!is_changing_state(pipeline) && !has_sleeping_sink(pipeline)))) {
            is_paused = !is_paused;
            failed = gst_element_set_state(pipeline, is_paused ? GST_STATE_PAUSED : GST_STATE_PLAYING) ==
                     GST_STATE_CHANGE_FAILURE;
        }
        if (message && is_mark(message.get()))
            change_state([this] { marks_seen_++; });
        if (!message || GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_APPLICATION)
            continue;
        tell(message);
        if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR)
            throw error_of(graph, message.get());
        if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) {
            show();
            return;
        }
        if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_CLOCK_LOST) {
            gst_element_set_state(pipeline, GST_STATE_PAUSED);
            if (!is_paused)
                gst_element_set_state(pipeline, GST_STATE_PLAYING);
        } else if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_LATENCY) {
            gst_bin_recalculate_latency(GST_BIN(pipeline));
        }
    }
    graph_error(GST_TOMO_GRAPH_ERROR_ABORTED, "aborted");
}

void Runner::run(Graph &graph, ObjectRef<GstElement> pipeline) {
    const gint64 since = g_get_monotonic_time();
    const auto error = error_of_work([&] { listen(graph, pipeline.get()); });
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    finish_work(error, [&] {
        seconds_ = (g_get_monotonic_time() - since) / 1e6;
        for (const auto &[pad, id] : ends_)
            gst_pad_remove_probe(pad.get(), id);
        ends_.clear();
        sources_.clear();
        pipeline_ = {};
        events_.push_back(error ? RunEvent(*error) : RunEvent(Done{}));
    });
}

} // namespace tomo
