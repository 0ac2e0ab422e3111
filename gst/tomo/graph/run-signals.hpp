// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/graph/run.hpp>

namespace tomo {

// Signals of GstTomoGraph, made with its class.
enum GraphSignal { progress_signal, message_signal, error_signal, done_signal, graph_signals };
extern guint graph_signal[graph_signals];

struct UnrefGraph {
    void operator()(GstTomoGraph *graph) const { g_object_unref(graph); }
};
using GraphPtr = std::unique_ptr<GstTomoGraph, UnrefGraph>;

// Gives out what happens in the runs of a graph as its signals: in the application's main context, or where
// it waits, never in a thread of the library.
class RunSignals {
  public:
    explicit RunSignals(Runner &runner) : runner_(runner) {}
    ~RunSignals() { cancel_visit(); }
    RunSignals(const RunSignals &) = delete;
    RunSignals &operator=(const RunSignals &) = delete;

    // The main context of the run to come; its reference is taken.
    void set_context(GMainContext *context) { context_.reset(context); }

    // There is something to give out.
    void announce(GstTomoGraph *graph);
    // Takes the reference of a run that has ended: who listens is still told of the end.
    void let_go(GraphPtr graph);
    // Gives out what is there, in order; one thread at a time.
    void give_out(GstTomoGraph *graph);
    // Until nobody else is giving out; throws in a handler of a signal.
    void wait_for_others();
    // After the end: leaves nothing to a main loop that may never run.
    void tidy_up();

  private:
    struct UnrefContext {
        void operator()(GMainContext *context) const { g_main_context_unref(context); }
    };
    struct UnrefSource {
        void operator()(GSource *source) const { g_source_unref(source); }
    };

    bool has_more_to_do();
    void cancel_visit();

    Runner &runner_;
    std::unique_ptr<GMainContext, UnrefContext> context_;
    std::unique_ptr<GSource, UnrefSource> visit_; // of the main loop, to come
    std::mutex lock_;
    std::condition_variable given_out_;
    std::thread::id giver_;
    bool once_more_ = false; // for the one who gives out to look again
    GraphPtr kept_for_visit_;
};

} // namespace tomo
