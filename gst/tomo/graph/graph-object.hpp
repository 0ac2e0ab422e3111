// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/run-signals.hpp>
#include <gst/tomo/graph/run.hpp>

namespace tomo {

// The state of a GstTomoGraph.
struct GraphState {
    explicit GraphState(GstTomoGraph *object)
        : runner([object, this] { signals.announce(G_OBJECT(object)); },
                 [object, this] { signals.let_go(GObjectPtr(G_OBJECT(object))); }) {
        take(std::make_unique<Graph>());
    }

    void take(std::unique_ptr<Graph> other) {
        graph = std::move(other);
        graph->obey_environment();
    }

    void must_not_run() const;

    std::unique_ptr<Graph> graph;
    RunSignals signals{runner};
    Runner runner; // last, because its thread uses the other members until it ends
};

} // namespace tomo

struct _GstTomoGraph {
    GObject parent;
    tomo::GraphState *state;
};
