// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/bases/stream-walk.hpp>
#include <gst/tomo/graph/bindings.hpp>
#include <gst/tomo/graph/standstill.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/host-memory.hpp>

#include <algorithm>
#include <chrono>

namespace tomo {

using PadRef = ObjectRef<GstPad>;

static PadRef only_pad(GstElement *element, const char *name) {
    return PadRef(gst_element_get_static_pad(element, name));
}

// The only output of an element, if it has just one.
static PadRef lone_source(GstElement *element) {
    GST_OBJECT_LOCK(element);
    PadRef pad = element->numsrcpads == 1 ? PadRef::referenced(GST_PAD(element->srcpads->data)) : PadRef();
    GST_OBJECT_UNLOCK(element);
    return pad;
}

// Members
// -----------------------------------------------------------------------------------------------------

QueueGroup::QueueGroup(guint64 max_memory) : max_memory_(max_memory ? max_memory : host_memory() / 2) {}

void QueueGroup::add(GstElement *queue, std::string join, bool may_grow) {
    using Self = std::shared_ptr<QueueGroup>;
    {
        std::lock_guard<std::mutex> lock(lock_);
        members_.push_back({queue, std::move(join), may_grow});
    }
    auto connect = [&](const char *signal, void (*handler)(GstElement *, gpointer)) {
        g_signal_connect_data(
            queue, signal, G_CALLBACK(handler), new Self(shared_from_this()),
            [](gpointer data, GClosure *) { delete static_cast<Self *>(data); },
            static_cast<GConnectFlags>(0));
    };
    connect("overrun", [](GstElement *q, gpointer self) { (*static_cast<Self *>(self))->overrun(q); });
    connect("underrun", [](GstElement *q, gpointer self) { (*static_cast<Self *>(self))->underrun(q); });
    constexpr auto items = static_cast<GstPadProbeType>(
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
    gst_pad_add_probe(
        only_pad(queue, "src").get(), items,
        [](GstPad *pad, GstPadProbeInfo *, gpointer self) {
            (*static_cast<Self *>(self))->taken(GST_PAD_PARENT(pad));
            return GST_PAD_PROBE_OK;
        },
        new Self(shared_from_this()), [](gpointer data) { delete static_cast<Self *>(data); });
}

void QueueGroup::add(std::shared_ptr<LiveBinding> binding) {
    std::lock_guard<std::mutex> lock(lock_);
    live_bindings_.push_back(std::move(binding));
}

QueueGroup::Member *QueueGroup::member(GstElement *queue) {
    for (auto &m : members_)
        if (m.queue == queue)
            return &m;
    return nullptr;
}

bool QueueGroup::has_memory_for_more(GstElement *queue) {
    guint64 total = 0;
    for (const auto &m : members_)
        total += get_level(m.queue, "current-level-bytes");
    const guint64 buffers = get_level(queue, "current-level-buffers");
    return total + (buffers ? get_level(queue, "current-level-bytes") / buffers : 0) <= max_memory_;
}

// The circle
// ---------------------------------------------------------------------------------------------------

std::optional<bool> QueueGroup::never_goes_on(GThread *thread, Search &search) {
    if (!thread)
        return {};
    for (const auto &m : members_)
        if (m.producer == thread)
            return never_gets_room(m, search);
    for (const auto &binding : live_bindings_)
        if (binding->waiting_thread() == thread)
            return never_gets_value(*binding, search);
    return {};
}

bool QueueGroup::never_gets_room(const Member &full, Search &search) {
    if (!search.is_new(full.queue))
        return full.queue == search.start; // the circle is closed
    const PadRef out = only_pad(full.queue, "src");
    if (const auto consumer = never_goes_on(thread_of(out.get()), search))
        return *consumer;
    return never_hands_on(out.get(), search);
}

// Down the thread to the join that does not take what it has got from here.
bool QueueGroup::never_hands_on(GstPad *source, Search &search) {
    for (PadRef pad(gst_pad_get_peer(source)); pad;) {
        GstElement *element = GST_PAD_PARENT(pad.get());
        if (!GST_IS_ELEMENT(element))
            return false;
        if (is_join(element, sinks_of(element))) {
            const bool has_been_given = !GST_IS_AGGREGATOR_PAD(pad.get()) ||
                                        gst_aggregator_pad_has_buffer(GST_AGGREGATOR_PAD(pad.get()));
            return has_been_given && never_gets_inputs(element, search);
        }
        const PadRef next = lone_source(element);
        const auto *runner = with_copies(element);
        if (!next || thread_of(next.get()) || (runner && !runner->is_full()))
            return false;
        pad = PadRef(gst_pad_get_peer(next.get()));
    }
    return false;
}

bool QueueGroup::never_gets_inputs(GstElement *join, Search &search) {
    if (!search.is_new(join))
        return false;
    const auto *own = dynamic_cast<Joiner *>(element_of(join));
    // In a live stream it may go on without them after a while.
    const bool is_live = own && GST_CLOCK_TIME_IS_VALID(gst_aggregator_get_latency(GST_AGGREGATOR(join)));
    search.is_sure = search.is_sure && own && !is_live;
    const PadRef out = lone_source(join);
    if (const auto waits = out ? never_goes_on(thread_of(out.get()), search) : std::nullopt)
        return *waits;
    const auto *runner = with_copies(join);
    if (own ? own->is_at_work() : runner && runner->is_at_work())
        return never_hands_on(out.get(), search);
    for (const auto &pad : sinks_of(join)) {
        auto *aggregator_pad = GST_IS_AGGREGATOR_PAD(pad.get()) ? GST_AGGREGATOR_PAD(pad.get()) : nullptr;
        const bool has_data = aggregator_pad && (gst_aggregator_pad_has_buffer(aggregator_pad) ||
                                                 gst_aggregator_pad_is_eos(aggregator_pad));
        if (!has_data && never_gets_data(pad.get(), search))
            return true;
    }
    return false;
}

bool QueueGroup::never_gets_data(GstPad *sink, Search &search) {
    const PadRef source(gst_pad_get_peer(sink));
    GstElement *element = source ? GST_PAD_PARENT(source.get()) : nullptr;
    if (!GST_IS_ELEMENT(element))
        return false;
    GThread *thread = thread_of(source.get());
    if (const auto waits = never_goes_on(thread, search))
        return *waits;
    const auto inputs = sinks_of(element);
    if (const Member *m = member(element))
        return m->idle && get_level(m->queue, "current-level-buffers") == 0 &&
               never_gets_data(inputs.front().get(), search);
    if (is_join(element, inputs))
        return never_gets_inputs(element, search);
    if (const auto *runner = with_copies(element); runner && runner->is_at_work())
        return false;
    // A thread that is not known to wait is at work. Where there is none, all happens in that of the input.
    return !thread && inputs.size() == 1 && never_gets_data(inputs.front().get(), search);
}

bool QueueGroup::never_gets_value(const LiveBinding &binding, Search &search) {
    if (binding.has_value() || !search.is_new(&binding))
        return false;
    const PadRef source = lone_source(binding.source());
    if (const auto waits = source ? never_goes_on(thread_of(source.get()), search) : std::nullopt)
        return *waits;
    const auto inputs = sinks_of(binding.source());
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](const PadRef &pad) { return never_gets_data(pad.get(), search); });
}

// In the threads of the queues
// ----------------------------------------------------------------------------------

void QueueGroup::taken(GstElement *queue) {
    std::lock_guard<std::mutex> lock(lock_);
    Member *m = member(queue);
    m->idle = false;
    moves_++;
    if (m->producer)
        changed_.notify_all();
}

void QueueGroup::underrun(GstElement *queue) {
    std::lock_guard<std::mutex> lock(lock_);
    Member *m = member(queue);
    m->idle = true;
    // What it needed once it may never need again.
    if (m->may_grow && get_level(queue, "max-size-buffers") > usual_buffers)
        g_object_set(queue, "max-size-buffers", usual_buffers, nullptr);
    changed_.notify_all();
}

// The producer would wait in the queue from here on. It waits here instead, where it can look around.
void QueueGroup::overrun(GstElement *queue) {
    using namespace std::chrono_literals;
    const PadRef in = only_pad(queue, "sink");
    int leaky = 0;
    g_object_get(queue, "leaky", &leaky, nullptr);
    if (leaky != 0)
        return;
    std::unique_lock<std::mutex> lock(lock_);
    Member *m = member(queue);
    m->producer = g_thread_self();
    guint64 moves = moves_;
    bool has_failed = false;
    auto since = std::chrono::steady_clock::now();
    while (is_full(queue) && !GST_PAD_IS_FLUSHING(in.get())) {
        Search search{queue, {}};
        const bool stands_still = !has_failed && never_gets_room(*m, search);
        if (stands_still && m->may_grow && has_memory_for_more(queue)) {
            g_object_set(queue, "max-size-buffers", get_level(queue, "current-level-buffers") + 1, nullptr);
            break;
        }
        const auto now = std::chrono::steady_clock::now();
        if (!stands_still || std::exchange(moves, moves_) != moves_)
            since = now;
        // Things are looked at one after the other: a circle is one only if it stays. Of foreign joins nobody
        // knows whether they are at work.
        if (now - since > (search.is_sure ? 500ms : 30000ms)) {
            fail(*m);
            has_failed = true;
        }
        changed_.wait_for(lock, 5ms);
    }
    m->producer = nullptr;
}

void QueueGroup::fail(const Member &m) {
    const guint64 bytes = get_level(m.queue, "current-level-bytes"),
                  arrays = get_level(m.queue, "current-level-buffers");
    const std::string message =
        m.may_grow
            ? text("%s has to wait for another of its inputs, and what it gets from here meanwhile, "
                   "%" G_GUINT64_FORMAT " MB in %" G_GUINT64_FORMAT
                   " arrays so far, has reached max-memory, %" G_GUINT64_FORMAT
                   " MB; raise max-memory, or write the result of the slower branch to a file first",
                   m.join.c_str(), bytes / 1000000, arrays, max_memory_ / 1000000)
            : text("%s has to wait for another of its inputs, and this queue is too small for what it gets "
                   "from here "
                   "meanwhile, %" G_GUINT64_FORMAT " arrays so far; raise max-size-buffers, -bytes and "
                   "-time, or leave the queue out: then one is made "
                   "that grows",
                   m.join.c_str(), arrays);
    gst_element_message_full(m.queue, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
                             g_strdup(message.c_str()), nullptr, __FILE__, GST_FUNCTION, __LINE__);
}

} // namespace tomo
