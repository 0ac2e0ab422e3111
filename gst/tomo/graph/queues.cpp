// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/graph/ports.hpp>
#include <gst/tomo/graph/queues.hpp>
#include <gst/tomo/graph/standstill.hpp>

#include <algorithm>
#include <functional>

namespace tomo {

static std::vector<Graph::Edge>
with_live_bindings(std::vector<Graph::Edge> edges,
                   const std::vector<std::shared_ptr<LiveBinding>> &live_bindings,
                   const std::function<std::size_t(GstElement *)> &node_of) {
    for (const auto &binding : live_bindings)
        if (binding->target_position() == LiveBinding::TargetPosition::other_branch)
            edges.push_back({node_of(binding->source()), node_of(binding->target()), "", ""});
    return edges;
}

static std::vector<GraphEdge> ends_of(const std::vector<Graph::Edge> &edges) {
    std::vector<GraphEdge> ends;
    for (const auto &edge : edges)
        ends.emplace_back(edge.from, edge.to);
    return ends;
}

Queues::Queues(const Graph &graph, const std::vector<std::shared_ptr<LiveBinding>> &live_bindings)
    : nodes_(graph.nodes()),
      edges_(with_live_bindings(graph.edges(), live_bindings, [&](GstElement *e) { return *graph.find(e); })),
      first_live_binding_(graph.edges().size()), cycles_(cycles_of(nodes_.size(), ends_of(edges_))),
      group_(std::make_shared<QueueGroup>(graph.max_memory())) {
    for (const auto &binding : live_bindings)
        group_->add(binding);
}

// Whether one thread gives both.
bool Queues::leave_together(const Graph::Edge &a, const Graph::Edge &b) const {
    if (a.from != b.from)
        return false;
    GstElement *element = nodes_[a.from].element.get();
    return !has_independent_outputs(element) ||
           output_name(element, a.output) == output_name(element, b.output);
}

std::vector<std::size_t> Queues::siblings(std::size_t edge) const {
    std::vector<std::size_t> found;
    for (std::size_t e = 0; e < edges_.size(); e++)
        if (e != edge && cycles_[e] == cycles_[edge] && leave_together(edges_[e], edges_[edge]))
            found.push_back(e);
    return found;
}

bool Queues::is_critical(std::size_t edge) const { return !siblings(edge).empty(); }

// On the edge's way to where it meets its siblings. A value that is waited for may come at the end as well.
bool Queues::leads_through_reducer(std::size_t edge) const {
    if (edge >= first_live_binding_)
        return true;
    std::vector<bool> seen(nodes_.size());
    std::vector<std::size_t> next{edges_[edge].to};
    while (!next.empty()) {
        const auto node = next.back();
        next.pop_back();
        if (seen[node])
            continue;
        seen[node] = true;
        GstElement *element = nodes_[node].element.get();
        if (dynamic_cast<Reducer *>(element_of(element)))
            return true;
        std::size_t inputs = 0;
        for (std::size_t e = 0; e < edges_.size(); e++) {
            inputs += edges_[e].to == node && cycles_[e] == cycles_[edge];
            if (e >= first_live_binding_ && edges_[e].from == node && cycles_[e] == cycles_[edge])
                return true;
        }
        for (std::size_t e = 0; inputs < 2 && e < edges_.size(); e++)
            if (edges_[e].from == node && cycles_[e] == cycles_[edge])
                next.push_back(edges_[e].to);
    }
    return false;
}

bool Queues::may_fill(std::size_t edge) const {
    const auto beside = siblings(edge);
    return std::any_of(beside.begin(), beside.end(), [&](std::size_t e) { return leads_through_reducer(e); });
}

std::string Queues::join_after(std::size_t edge) const {
    std::size_t e = edge;
    for (std::size_t steps = 0; steps <= edges_.size(); steps++) {
        const auto node = edges_[e].to;
        std::size_t inputs = 0, onwards = e;
        for (std::size_t i = 0; i < edges_.size(); i++) {
            if (cycles_[i] != cycles_[edge])
                continue;
            inputs += edges_[i].to == node;
            if (edges_[i].from == node)
                onwards = i;
        }
        if (inputs > 1 || onwards == e)
            return "node '" + nodes_[node].name + "'" +
                   (edges_[e].input.empty() ? "" : ", input " + edges_[e].input + ",");
        e = onwards;
    }
    return "a join";
}

void Queues::manage(std::size_t edge, GstElement *queue) {
    g_object_set(queue, "max-size-buffers", QueueGroup::usual_buffers, "max-size-bytes", 0u, "max-size-time",
                 guint64{0}, nullptr);
    group_->add(queue, join_after(edge), true);
}

void Queues::watch(std::size_t edge, GstElement *queue) { group_->add(queue, join_after(edge), false); }

} // namespace tomo
