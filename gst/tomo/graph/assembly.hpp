// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/graph/graph.hpp>

namespace tomo {

// The pipeline of a graph, with the tees and queues that it needs. The graph must not change while this
// exists.
class Assembly {
  public:
    // The linked pads of a pipeline, for each edge.
    using Links = std::vector<std::pair<ObjectRef<GstPad>, ObjectRef<GstPad>>>;

    // Throws if nodes and edges do not make a pipeline.
    static std::unique_ptr<Assembly> build(const Graph &graph);
    // Takes over a pipeline that the application made.
    static std::unique_ptr<Assembly> adopt(const Graph &graph, GstElement *pipeline, const Links &links);
    // Stops the pipeline; another one can use its elements then.
    ~Assembly();
    Assembly(const Assembly &) = delete;
    Assembly &operator=(const Assembly &) = delete;

    GstElement *pipeline() const { return pipeline_.get(); }
    // Before each run: drops the values of bindings.
    void forget_values();
    // Whether this class has changed the property async of a sink.
    bool has_changed_async(GstElement *sink) const;
    // While the pipeline is in state NULL: puts the nodes of each chain into an element that runs copies of
    // them, and others to their device; undoes an earlier call. Throws Error and changes nothing
    // if that is not possible.
    void place(const Placement &placement);
    // Whether this class has set the property device.
    bool has_moved(GstElement *element) const;

  private:
    Assembly(const Graph &graph, GstElement *pipeline);

    void add_nodes();
    void make_live_bindings();
    void connect_output(std::size_t node, const std::string &output, const std::vector<std::size_t> &edges,
                        class Queues &queues);
    // Links two pads, with a queue between them where the edge needs one.
    void link(std::size_t edge, GstPad *source, GstPad *sink, class Queues &queues);
    // Links the edge when its output pad appears.
    void link_later(std::size_t edge);
    void set_sinks_async(bool async);
    void place_chain(const Placement &placement, const Placement::Chain &chain);
    void take_back();
    void connect_bindings();
    GstElement *add_helper(const char *factory, const std::string &name);

    const Graph &graph_;
    const ObjectRef<GstElement> pipeline_;
    std::vector<std::shared_ptr<class LiveBinding>> live_bindings_;
    std::vector<std::pair<ObjectRef<GstElement>, gulong>> handlers_; // that wait for pads
    std::vector<ObjectRef<GstElement>> sinks_;                       // whose property async was changed
    struct PlacedChain {
        ObjectRef<GstElement> runner; // of the copies
        std::vector<ObjectRef<GstElement>> elements;
        ObjectRef<GstPad> before, behind; // to which the chain was linked
    };
    Placement placement_;
    std::vector<PlacedChain> placed_;
    std::vector<ObjectRef<GstElement>> moved_;
};

} // namespace tomo
