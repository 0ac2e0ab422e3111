// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/sink.hpp>
#include <gst/tomo/device/profile.hpp>
#include <gst/tomo/support/host-memory.hpp>
#include <gst/tomo/support/threads.hpp>

#include <algorithm>

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
    auto *sink = sink_of(self);
    return sink->guard(false, [&] {
        if (GST_QUERY_TYPE(query) == GST_QUERY_CAPS && sink->wants_device_memory()) {
            tomo::answer_caps_query(query, tomo::CapsRef(tomo::template_caps(sink->info().in)));
            return true;
        }
        return tomo::answer_sink_query(*sink, GST_BASE_SINK_PAD(self), query);
    }) || GST_BASE_SINK_CLASS(gst_tomo_sink_parent_class)->query(self, query);
}

static gboolean gst_tomo_sink_event(GstBaseSink *self, GstEvent *event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS && !sink_of(self)->end_of_stream()) {
        gst_event_unref(event);
        return FALSE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START)
        sink_of(self)->start_flush();
    if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP)
        sink_of(self)->stop_flush();
    return GST_BASE_SINK_CLASS(gst_tomo_sink_parent_class)->event(self, event);
}

// GstBaseSink's own start and stop belong to READY, where every other kind of element is idle.
static GstStateChangeReturn gst_tomo_sink_change_state(GstElement *element, GstStateChange transition) {
    auto *sink = sink_of(element);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !sink->guard([&] { sink->activate(); }))
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
    // The base would make a time of an array that has none.
    GST_ELEMENT_CLASS(klass)->query = [](GstElement *self, GstQuery *query) -> gboolean {
        return (GST_QUERY_TYPE(query) != GST_QUERY_POSITION || sink_of(self)->has_position(query)) &&
               GST_ELEMENT_CLASS(gst_tomo_sink_parent_class)->query(self, query);
    };
    base->set_caps = [](GstBaseSink *self, GstCaps *caps) -> gboolean {
        auto *sink = sink_of(self);
        return sink->guard([&] { sink->set_caps(caps); });
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
    // A sink that wants device memory says so when it is asked, by its properties.
    const CapsRef in(template_caps(info().in, FirstChoice::host));
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, in.get()));
}

void Sink::attach() {}

// Some of the largest arrays, but no more than a small part of the host's memory.
std::size_t Sink::most_bytes_waiting() {
    static const auto limit =
        std::clamp<std::size_t>(host_memory() / 32, std::size_t{64} << 20, std::size_t{256} << 20);
    return limit;
}

void Sink::activate() {
    forget_error();
    has_caps_ = begun_ = has_consumed_ = begins_anew_ = false;
    has_time_ = true;
    start();
    ending_ = false;
    try {
        thread_ = start_thread([this] { consume_queue(); });
    } catch (...) {
        stop();
        throw;
    }
}

void Sink::deactivate() noexcept {
    // What arrived whole is kept, also when the stream broke behind it.
    if (begun_)
        wait_until_idle();
    end_thread();
    if (std::exchange(begun_, false))
        guard([&] { abandon(); });
    stop_and_forget();
}

void Sink::end_thread() {
    {
        std::lock_guard<std::mutex> lock(queue_lock_);
        queue_.clear();
        ending_ = true;
    }
    queue_changed_.notify_all();
    if (thread_.joinable())
        thread_.join();
    queued_bytes_ = 0;
}

void Sink::set_caps(GstCaps *caps) {
    if (has_failed()) // it may lack all that begin() stands on; the next array is refused
        return;
    check_accepts(GST_BASE_SINK_PAD(reinterpret_cast<GstBaseSink *>(gst())), caps);
    wait_until_idle();
    info_ = ArrayInfo::from_caps(caps);
    has_caps_ = true;
    if (!begun_ && begins_anew_) // behind the end of a stream: with the next array, if there comes one
        return;
    begin(info_);
    begun_ = true;
}

GstFlowReturn Sink::render(GstBuffer *buffer) {
    if (has_failed())
        return failed_flow();
    if (!has_caps_)
        throw Error(GST_STREAM_ERROR_FORMAT, "pad sink got a buffer before any caps");
    if (std::exchange(begins_anew_, false)) {
        clear();
        begin(info_);
        begun_ = true;
    }
    has_consumed_ = true;
    has_time_ = GST_BUFFER_PTS_IS_VALID(buffer);
    enqueue({BufferRef::referenced(buffer),
             stream_time(reinterpret_cast<GstBaseSink *>(gst())->segment, GST_BUFFER_PTS(buffer))});
    return has_failed() ? failed_flow() : GST_FLOW_OK;
}

// Upstream complains of this flow, too; the reason must be on the bus by then.
GstFlowReturn Sink::failed_flow() {
    wait_until_idle();
    return GST_FLOW_ERROR;
}

void Sink::enqueue(Item item) {
    std::unique_lock<std::mutex> lock(queue_lock_);
    const std::size_t size = info_.size();
    // The arrays of a batch share their memory and become ready together. A device that computes one while
    // another is consumed is never idle.
    GstBuffer *buffer = item.buffer.get();
    const std::size_t batch =
        gst_buffer_n_memory(buffer) > 0 ? gst_buffer_peek_memory(buffer, 0)->maxsize : 0;
    const std::size_t limit = std::max(most_bytes_waiting(), 2 * batch);
    queue_changed_.wait(lock, [&] { return is_idle() || queued_bytes_ + size <= limit; });
    queued_bytes_ += size;
    queue_.push_back(std::move(item));
    queue_changed_.notify_all();
}

// The thread of the sink.
void Sink::consume_queue() {
    std::unique_lock<std::mutex> lock(queue_lock_);
    for (;;) {
        queue_changed_.wait(lock, [&] { return ending_ || !queue_.empty(); });
        if (ending_)
            return;
        Item item = std::move(queue_.front());
        queue_.pop_front();
        consuming_ = true;
        lock.unlock();
        if (!has_failed())
            guard(false, [&] {
                const WorkFor work(gst());
                follow_time(item.time);
                consume(item.buffer.get(), info_);
                return true;
            });
        item.buffer = {};
        lock.lock();
        queued_bytes_ -= std::min<std::size_t>(queued_bytes_, info_.size());
        consuming_ = false;
        queue_changed_.notify_all();
    }
}

void Sink::wait_until_idle() {
    std::unique_lock<std::mutex> lock(queue_lock_);
    queue_changed_.wait(lock, [&] { return is_idle(); });
}

bool Sink::has_position(GstQuery *query) const {
    GstFormat format = GST_FORMAT_UNDEFINED;
    gst_query_parse_position(query, &format, nullptr);
    return format != GST_FORMAT_TIME || has_time_;
}

bool Sink::end_of_stream() {
    wait_until_idle();
    if (has_failed())
        return false;
    if (!begun_)
        return true;
    return guard(false, [&] {
        // What a flush took back did not come to its end.
        begins_anew_ ? abandon() : finish();
        begun_ = false;
        begins_anew_ = true; // also where nothing came: there is nothing left to consume with
        return true;
    });
}

void Sink::start_flush() {
    std::lock_guard<std::mutex> lock(queue_lock_);
    queue_.clear();
    queued_bytes_ = 0;
    queue_changed_.notify_all();
}

void Sink::stop_flush() {
    wait_until_idle();
    begins_anew_ = begins_anew_ || has_consumed_;
}

} // namespace tomo
