// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
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

static bool is_heard(GObject *graph) {
    for (const guint signal : graph_signal)
        if (g_signal_has_handler_pending(graph, signal, 0, FALSE))
            return true;
    return false;
}

RunSignals::RunSignals(Runner &runner)
    : SignalOutlet(
          [&runner](GObject *graph) {
              const auto event = runner.take();
              if (event)
                  std::visit([&](const auto &e) { emit(GST_TOMO_GRAPH(graph), e); }, *event);
              return event.has_value();
          },
          is_heard),
      runner_(runner) {}

void RunSignals::tidy_up() {
    runner_.join_after_end();
    cancel_visit();
}

} // namespace tomo
