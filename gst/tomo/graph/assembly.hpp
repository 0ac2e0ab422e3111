// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/graph/graph.hpp>

namespace tomo {

// The pipeline of a graph, with the tees and queues that it needs. The graph stays as it is meanwhile.
class Assembly {
  public:
    // Pads of a pipeline that are linked, for each edge.
    using Links = std::vector<std::pair<ObjectRef<GstPad>, ObjectRef<GstPad>>>;

    // Throws where nodes and edges make none.
    static std::unique_ptr<Assembly> build(const Graph &graph);
    // Of a pipeline that somebody else made.
    static std::unique_ptr<Assembly> adopt(const Graph &graph, GstElement *pipeline, const Links &links);
    // Stops it; its elements can be taken for another one.
    ~Assembly();
    Assembly(const Assembly &) = delete;
    Assembly &operator=(const Assembly &) = delete;

    GstElement *pipeline() const { return pipeline_.get(); }
    // Before each run: those of bindings.
    void forget_values();
    // Whether the property async of a sink is not as its user left it.
    bool has_changed_async(GstElement *sink) const;

  private:
    Assembly(const Graph &graph, GstElement *pipeline);

    void add_nodes();
    void make_live_bindings();
    void connect_output(std::size_t node, const std::string &output, const std::vector<std::size_t> &edges,
                        class Queues &queues);
    // Links two pads, with a queue between them where the edge needs one.
    void link(std::size_t edge, GstPad *source, GstPad *sink, class Queues &queues);
    // When the output comes into being.
    void link_later(std::size_t edge);
    void set_sinks_async(bool async);
    GstElement *add_helper(const char *factory, const std::string &name);

    const Graph &graph_;
    const ObjectRef<GstElement> pipeline_;
    std::vector<std::shared_ptr<class LiveBinding>> live_bindings_;
    std::vector<std::pair<ObjectRef<GstElement>, gulong>> handlers_; // that wait for pads
    std::vector<ObjectRef<GstElement>> sinks_;                       // whose property async was changed
};

} // namespace tomo
