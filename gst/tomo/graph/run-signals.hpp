// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/graph/run.hpp>
#include <gst/tomo/graph/signal-outlet.hpp>

namespace tomo {

// Signals of GstTomoGraph, made with its class.
enum GraphSignal { progress_signal, message_signal, error_signal, done_signal, graph_signals };
extern guint graph_signal[graph_signals];

// Emits the events of a graph's runs as its signals.
class RunSignals : public SignalOutlet {
  public:
    explicit RunSignals(Runner &runner);

    // After the end.
    void tidy_up();

  private:
    Runner &runner_;
};

} // namespace tomo
