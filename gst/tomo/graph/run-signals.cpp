// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/graph-object.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/run-signals.hpp>

namespace tomo {

guint graph_signal[graph_signals];

static void emit(GstTomoGraph *graph, const Progress &p) {
    g_signal_emit(graph, graph_signal[progress_signal], 0, p.position, p.duration, p.output);
}
static void emit(GstTomoGraph *graph, const MessageRef &message) {
    g_signal_emit(graph, graph_signal[message_signal], 0, message.get());
}
static void emit(GstTomoGraph *graph, const Error &e) {
    const std::unique_ptr<GError, decltype(&g_error_free)> error(
        g_error_new_literal(e.domain, e.code, e.what()), g_error_free);
    g_signal_emit(graph, graph_signal[error_signal], 0, error.get());
}
static void emit(GstTomoGraph *graph, const Done &) { g_signal_emit(graph, graph_signal[done_signal], 0); }

// One visit of the main loop gives out all that is there. It finds the graph only if somebody still has it: a
// graph that nobody wants any more must not wait for a main loop that may never run.
void RunSignals::announce(GstTomoGraph *graph) {
    std::lock_guard<std::mutex> lock(lock_);
    if (visit_)
        return;
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    auto place = std::make_unique<GWeakRef>();
    g_weak_ref_init(place.get(), graph);
    g_source_set_callback(
        source,
        [](gpointer place) -> gboolean {
            if (const GraphPtr graph{
                    static_cast<GstTomoGraph *>(g_weak_ref_get(static_cast<GWeakRef *>(place)))})
                graph->state->signals.give_out(graph.get());
            return G_SOURCE_REMOVE;
        },
        place.release(),
        [](gpointer place) {
            const std::unique_ptr<GWeakRef> ended(static_cast<GWeakRef *>(place));
            g_weak_ref_clear(ended.get());
        });
    g_source_attach(source, context_.get());
    visit_.reset(source);
}

void RunSignals::let_go(GraphPtr graph) {
    std::lock_guard<std::mutex> lock(lock_);
    if (!visit_)
        return;
    for (const guint signal : graph_signal)
        if (g_signal_has_handler_pending(graph.get(), signal, 0, FALSE)) {
            kept_for_visit_ = std::move(graph);
            return;
        }
}

void RunSignals::give_out(GstTomoGraph *borrowed) {
    const GraphPtr graph(GST_TOMO_GRAPH(g_object_ref(borrowed)));
    cancel_visit();
    {
        std::lock_guard<std::mutex> lock(lock_);
        once_more_ = true;
        if (giver_ != std::thread::id())
            return;
        giver_ = std::this_thread::get_id();
    }
    while (has_more_to_do())
        while (auto event = runner_.take())
            std::visit([&](const auto &e) { emit(graph.get(), e); }, *event);
    given_out_.notify_all();
}

bool RunSignals::has_more_to_do() {
    std::lock_guard<std::mutex> lock(lock_);
    if (!once_more_)
        giver_ = {};
    return std::exchange(once_more_, false);
}

void RunSignals::cancel_visit() {
    std::unique_lock<std::mutex> lock(lock_);
    const auto graph = std::move(kept_for_visit_);
    const auto source = std::move(visit_);
    lock.unlock();
    if (source)
        g_source_destroy(source.get());
}

void RunSignals::wait_for_others() {
    std::unique_lock<std::mutex> lock(lock_);
    if (giver_ == std::this_thread::get_id())
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "a handler of a signal can't wait for the end of the run");
    given_out_.wait(lock, [this] { return giver_ == std::thread::id(); });
}

void RunSignals::tidy_up() {
    runner_.settle();
    cancel_visit();
}

} // namespace tomo
