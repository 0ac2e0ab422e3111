// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/graph.hpp>

namespace tomo {

// Of each edge, the number of the biconnected component that it is in. Edges of one component lie on common
// cycles, directions aside; only there can queues block each other. An edge on no cycle has a component of
// its own.
std::vector<std::size_t> cycles_of(std::size_t nodes, const std::vector<Graph::Edge> &edges);

} // namespace tomo
