// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/cycles.hpp>

#include <algorithm>

namespace tomo {

// Biconnected components by Tarjan's depth-first search, over edges without their direction.
std::vector<std::size_t> cycles_of(std::size_t nodes, const std::vector<GraphEdge> &edges) {
    constexpr std::size_t none = ~std::size_t{0};
    std::vector<std::vector<std::size_t>> at(nodes);
    for (std::size_t e = 0; e < edges.size(); e++) {
        at[edges[e].first].push_back(e);
        at[edges[e].second].push_back(e);
    }
    std::vector<std::size_t> component(edges.size(), none), entered(nodes, none), low(nodes), stack;
    std::size_t time = 0, components = 0;
    struct Visit {
        std::size_t node, by, next;
    };
    for (std::size_t root = 0; root < nodes; root++) {
        if (entered[root] != none)
            continue;
        entered[root] = low[root] = time++;
        std::vector<Visit> path{{root, none, 0}};
        std::vector<bool> seen(edges.size());
        while (!path.empty()) {
            const std::size_t node = path.back().node, by = path.back().by;
            if (path.back().next < at[node].size()) {
                const std::size_t e = at[node][path.back().next++];
                if (e == by || component[e] != none || seen[e])
                    continue;
                seen[e] = true;
                stack.push_back(e);
                const std::size_t other = edges[e].first == node ? edges[e].second : edges[e].first;
                if (entered[other] == none) {
                    entered[other] = low[other] = time++;
                    path.push_back({other, e, 0});
                } else {
                    low[node] = std::min(low[node], entered[other]);
                }
                continue;
            }
            path.pop_back();
            if (path.empty())
                break;
            const std::size_t parent = path.back().node;
            low[parent] = std::min(low[parent], low[node]);
            if (low[node] < entered[parent])
                continue;
            std::size_t e = none;
            do {
                e = stack.back();
                stack.pop_back();
                component[e] = components;
            } while (e != by);
            components++;
        }
    }
    return component;
}

} // namespace tomo
