// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/preroll-watch.hpp>
#include <gst/tomo/bases/stream-walk.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/threads.hpp>

#include <gst/base/gstaggregator.h>
#include <gst/base/gstbasesink.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <set>

namespace tomo {

using PadRef = ObjectRef<GstPad>;

// The circle
// ---------------------------------------------------------------------------------------------------

std::vector<ObjectRef<GstElement>> sinks_in(GstElement *pipeline) {
    std::vector<ObjectRef<GstElement>> sinks;
    if (!GST_IS_BIN(pipeline))
        return sinks;
    const std::unique_ptr<GstIterator, decltype(&gst_iterator_free)> all(
        gst_bin_iterate_recurse(GST_BIN(pipeline)), gst_iterator_free);
    GValue item = G_VALUE_INIT;
    while (gst_iterator_next(all.get(), &item) == GST_ITERATOR_OK) {
        if (auto *element = GST_ELEMENT(g_value_get_object(&item)); GST_IS_BASE_SINK(element))
            sinks.push_back(ObjectRef<GstElement>::referenced(element));
        g_value_reset(&item);
    }
    if (G_IS_VALUE(&item))
        g_value_unset(&item);
    return sinks;
}

namespace {

bool is_named(GstElement *element, const char *factory_name) {
    GstElementFactory *factory = gst_element_get_factory(element);
    return factory && g_strcmp0(GST_OBJECT_NAME(factory), factory_name) == 0;
}

// Whether a thread is within the element that the pad belongs to, or further down.
bool is_entered(GstPad *sink) {
    if (!GST_PAD_STREAM_TRYLOCK(sink))
        return true;
    GST_PAD_STREAM_UNLOCK(sink);
    return false;
}

PadRef peer_of(const PadRef &pad) {
    PadRef peer(gst_pad_get_peer(pad.get()));
    // Through the border of a bin, to the pad of an element.
    while (peer && GST_IS_PROXY_PAD(peer.get())) {
        GstPad *inner = GST_PAD_IS_SRC(peer.get()) == GST_PAD_IS_SRC(pad.get())
                            ? nullptr
                            : GST_PAD(gst_proxy_pad_get_internal(GST_PROXY_PAD(peer.get())));
        const PadRef other{inner};
        peer = PadRef(other ? gst_pad_get_peer(other.get()) : nullptr);
    }
    return peer;
}

ObjectRef<GstElement> element_at(const PadRef &pad) {
    return ObjectRef<GstElement>(pad ? gst_pad_get_parent_element(pad.get()) : nullptr);
}

std::string quoted(GstElement *element) { return text("'%s'", GST_OBJECT_NAME(element)); }

// Looks for somebody who waits for ever. What is at work, or may get something from elsewhere, ends the
// search.
class Search {
  public:
    // Why nothing comes to this input.
    std::optional<std::string> why_empty(const PadRef &sink) {
        const PadRef source = peer_of(sink);
        const auto element = element_at(source);
        if (!element || !seen_.insert(source.get()).second)
            return {};
        const auto inputs = sinks_of(element.get());
        if (is_named(element.get(), "queue")) {
            const bool idle =
                get_level(element.get(), "current-level-buffers") == 0 && !is_entered(sink.get());
            return idle ? why_empty(inputs.front()) : std::nullopt;
        }
        if (is_join(element.get(), inputs))
            return is_entered(sink.get()) ? std::nullopt : why_incomplete(element.get());
        if (thread_of(source.get()) || is_entered(sink.get()))
            return {};
        if (const auto others = sources_of(element.get()); others.size() > 1)
            for (const auto &other : others)
                if (other.get() != source.get())
                    if (const auto where = why_kept(other))
                        return text("%s gives to all of its outputs in one thread, and that %s: %s",
                                    quoted(element.get()).c_str(), where->c_str(),
                                    advice_.empty() ? text("put a queue behind each output of %s",
                                                           quoted(element.get()).c_str())
                                                          .c_str()
                                                    : advice_.c_str());
        return inputs.size() == 1 ? why_empty(inputs.front()) : std::nullopt;
    }

  private:
    // Why a join gives nothing.
    std::optional<std::string> why_incomplete(GstElement *join) {
        if (!seen_.insert(join).second)
            return {};
        for (const auto &pad : sinks_of(join)) {
            auto *input = GST_IS_AGGREGATOR_PAD(pad.get()) ? GST_AGGREGATOR_PAD(pad.get()) : nullptr;
            if (!input || gst_aggregator_pad_has_buffer(input) || gst_aggregator_pad_is_eos(input))
                continue;
            if (const auto why = why_empty(pad))
                return text("%s waits for its input %s; %s", quoted(join).c_str(), GST_PAD_NAME(pad.get()),
                            why->c_str());
        }
        return {};
    }

    // Where the thread that pushes from here waits, as the rest of a sentence.
    std::optional<std::string> why_kept(const PadRef &source) {
        const PadRef sink = peer_of(source);
        const auto element = element_at(sink);
        if (!element || !is_entered(sink.get()))
            return {};
        if (GST_IS_BASE_SINK(element.get())) {
            if (!GST_BASE_SINK(element.get())->have_preroll)
                return {};
            return text("waits in %s until all sinks have got something", quoted(element.get()).c_str());
        }
        if (is_named(element.get(), "queue")) {
            if (!is_full(element.get()))
                return {};
            const auto why = why_kept(sources_of(element.get()).front());
            advice_ = text("give %s room for more (max-size-buffers, max-size-bytes, max-size-time), or take "
                           "tomo-launch, whose queues grow",
                           quoted(element.get()).c_str());
            return why ? text("waits for room in %s, whose own thread %s", quoted(element.get()).c_str(),
                              why->c_str())
                       : why;
        }
        if (is_join(element.get(), sinks_of(element.get()))) {
            const bool is_given = GST_IS_AGGREGATOR_PAD(sink.get()) &&
                                  gst_aggregator_pad_has_buffer(GST_AGGREGATOR_PAD(sink.get()));
            // The inputs that it waits for lead to where this search comes from.
            return is_given ? text("waits in %s, which needs another of its inputs before it takes more",
                                   quoted(element.get()).c_str())
                            : std::optional<std::string>();
        }
        for (const auto &next : sources_of(element.get()))
            if (!thread_of(next.get()))
                if (const auto why = why_kept(next))
                    return why;
        return {};
    }

    std::set<const void *> seen_;
    std::string advice_; // if it is not the usual one
};

// Whether it is on its way to PAUSED.
bool is_starting(GstElement *pipeline) {
    GST_OBJECT_LOCK(pipeline);
    const bool starting = GST_STATE_RETURN(pipeline) == GST_STATE_CHANGE_ASYNC &&
                          GST_STATE_TARGET(pipeline) >= GST_STATE_PAUSED;
    GST_OBJECT_UNLOCK(pipeline);
    return starting;
}

// The thread that looks; it lives as long as there is something to look at.
class Watch {
  public:
    void add(GstElement *pipeline) {
        const std::lock_guard<std::mutex> lock(lock_);
        for (const auto &other : watched_) {
            const ObjectRef<GstElement> known(static_cast<GstElement *>(g_weak_ref_get(&other->pipeline)));
            if (known.get() == pipeline)
                return;
        }
        watched_.push_back(std::make_unique<Watched>(pipeline));
        if (is_awake_)
            return;
        try {
            start_thread([this] { look(); }).detach();
            is_awake_ = true;
        } catch (const Error &) {
            // The pipeline may do without a watch.
            watched_.clear();
        }
    }

  private:
    struct Watched {
        explicit Watched(GstElement *element) { g_weak_ref_init(&pipeline, element); }
        ~Watched() { g_weak_ref_clear(&pipeline); }
        GWeakRef pipeline;
        std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
        std::string suspicion; // found at the last look
    };

    void look() {
        for (;;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
            std::vector<std::pair<Watched *, ObjectRef<GstElement>>> now;
            {
                const std::lock_guard<std::mutex> lock(lock_);
                watched_.remove_if([&](const auto &each) {
                    ObjectRef<GstElement> pipeline(
                        static_cast<GstElement *>(g_weak_ref_get(&each->pipeline)));
                    const bool settled = !pipeline || !is_starting(pipeline.get());
                    // Its first elements start before it is said to.
                    if (settled && std::chrono::steady_clock::now() - each->since > patience / 5)
                        return true;
                    if (pipeline)
                        now.emplace_back(each.get(), std::move(pipeline));
                    return false;
                });
                if (watched_.empty()) {
                    is_awake_ = false;
                    return;
                }
            }
            for (const auto &[each, pipeline] : now)
                if (std::chrono::steady_clock::now() - each->since > patience &&
                    tell(*each, pipeline.get())) {
                    const std::lock_guard<std::mutex> lock(lock_);
                    watched_.remove_if([told = each](const auto &other) { return other.get() == told; });
                }
        }
    }

    // Things are looked at one after the other while they move: a circle is one only if it stays.
    static bool tell(Watched &watched, GstElement *pipeline) {
        for (const auto &sink : sinks_in(pipeline)) {
            const auto found = waiting_in_preroll(sink.get());
            if (found.empty())
                continue;
            if (watched.suspicion != found) {
                watched.suspicion = found;
                return false;
            }
            gst_element_message_full(sink.get(), GST_MESSAGE_WARNING, GST_STREAM_ERROR,
                                     GST_STREAM_ERROR_FAILED, g_strdup(found.c_str()), nullptr, __FILE__,
                                     GST_FUNCTION, __LINE__);
            return true;
        }
        watched.suspicion.clear();
        return false;
    }

    static constexpr std::chrono::milliseconds patience{4000};

    std::mutex lock_;
    std::list<std::unique_ptr<Watched>> watched_;
    bool is_awake_ = false;
};

} // namespace

std::string waiting_in_preroll(GstElement *sink) {
    if (!GST_IS_BASE_SINK(sink) || GST_BASE_SINK(sink)->have_preroll || GST_BASE_SINK(sink)->eos)
        return {};
    const auto inputs = sinks_of(sink);
    if (inputs.size() != 1 || is_entered(inputs.front().get()))
        return {};
    const auto why = Search().why_empty(inputs.front());
    return why ? "the pipeline can't start: this sink waits for its first array; " + *why : "";
}

void watch_preroll(GstElement *element) {
    const auto top = outermost(element);
    if (!GST_IS_BIN(top.get()))
        return;
    static auto *const watch = new Watch; // whose thread may outlive everything else
    watch->add(top.get());
}

} // namespace tomo
