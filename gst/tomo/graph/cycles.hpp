// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tomo {

// An edge between two nodes.
using GraphEdge = std::pair<std::size_t, std::size_t>;

// For each edge, the number of its biconnected component. Edges of one component lie on common cycles,
// directions aside; queues can block each other only there. An edge on no cycle has a component of its own.
std::vector<std::size_t> cycles_of(std::size_t nodes, const std::vector<GraphEdge> &edges);

} // namespace tomo
