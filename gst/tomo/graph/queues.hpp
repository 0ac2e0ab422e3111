// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where an output has several consumers whose ways meet again in a join, queues of a fixed size can block
// each other: one branch holds back the arrays that the join needs, while the other branch is full and keeps
// the producer from giving the first one more. The solution (T. M. Parks, Bounded Scheduling of Process
// Networks, 1995) is to give the full queue more room when, and only when, the stream would stand still.
#pragma once

#include <gst/tomo/graph/bindings.hpp>
#include <gst/tomo/graph/cycles.hpp>

namespace tomo {

class Queues {
  public:
    Queues(const Graph &graph, const std::vector<std::shared_ptr<LiveBinding>> &live_bindings);

    // Whether another edge of the same node can block this edge.
    bool is_critical(std::size_t edge) const;
    // Whether its queue may have to hold a whole stream, because a branch beside it takes the whole stream
    // before it gives anything.
    bool may_fill(std::size_t edge) const;
    // Sizes the queue of an edge and lets it grow as needed.
    void manage(std::size_t edge, GstElement *queue);
    // Watches a queue of the user's to which the edge leads; its size stays.
    void watch(std::size_t edge, GstElement *queue);

  private:
    bool leave_together(const Graph::Edge &a, const Graph::Edge &b) const;
    std::vector<std::size_t> siblings(std::size_t edge) const;
    bool leads_through_reducer(std::size_t edge) const;
    // Name and input of the node in which the edge meets its siblings again, for messages.
    std::string join_after(std::size_t edge) const;

    const std::vector<Graph::Node> &nodes_;
    // Edges of the graph, then one edge for each binding whose target waits for a value, which is like an
    // input.
    const std::vector<Graph::Edge> edges_;
    const std::size_t first_live_binding_;
    std::vector<std::size_t> cycles_;
    std::shared_ptr<class QueueGroup> group_;
};

} // namespace tomo
