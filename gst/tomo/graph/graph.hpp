// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A dataflow: nodes, which are elements, and edges between their pads. As a pipeline it gets the tees and
// queues that it needs. GstTomoGraph is its GObject.
#pragma once

#include <gst/tomo/graph/values.hpp>

#include <map>
#include <optional>
#include <set>

namespace tomo {

class GST_TOMO_API Graph {
  public:
    struct Node {
        std::string name;
        ObjectRef<GstElement> element;
    };
    // Pads by name; an empty name leaves the choice to GStreamer.
    struct Edge {
        std::size_t from = 0, to = 0;
        std::string output, input;
    };
    // A property of one node that takes its values from one of another node.
    struct Binding {
        std::size_t from = 0, to = 0;
        std::string result, property;
    };

    Graph();
    ~Graph();
    Graph(const Graph &) = delete;
    Graph &operator=(const Graph &) = delete;

    static std::unique_ptr<Graph> from_json(const std::string &json, const std::string &origin);
    static std::unique_ptr<Graph> from_file(const std::string &file);
    // A launch line, as one text or as the words that a shell made of it.
    static std::unique_ptr<Graph> from_line(const std::string &line);
    static std::unique_ptr<Graph> from_words(std::vector<std::string> words);
    // Takes its elements over.
    static std::unique_ptr<Graph> from_pipeline(GstElement *pipeline);
    // The JSON of a pipeline that stays as it is, in whatever state.
    static std::string describe(GstElement *pipeline);

    GstElement *add(const std::string &plugin, std::string name, const std::string &package = {});
    // Under the name that it has.
    void add(GstElement *element);
    void connect(std::size_t from, std::size_t to, unsigned input, const std::string &output = {});
    // With names of pads; empty ones are chosen.
    void connect(std::size_t from, std::size_t to, const std::string &output, const std::string &input);
    // When a value takes effect is said in graph-bindings.hpp.
    void bind(std::size_t from, const std::string &result, std::size_t to, const std::string &property);

    // Throws with a suggestion.
    std::size_t require(const std::string &name) const;
    std::optional<std::size_t> find(GstElement *element) const;
    const std::vector<Node> &nodes() const { return nodes_; }
    const std::vector<Edge> &edges() const { return edges_; }
    const std::vector<Binding> &bindings() const { return bindings_; }

    std::string to_json() const;

    // The pipeline, made anew when nodes or edges have changed. Throws when they make none.
    GstElement *pipeline();
    bool has_pipeline() const { return static_cast<bool>(assembly_); }
    // Before each run of the pipeline.
    void forget_values();
    // Bytes that queues may hold which grow because a join waits for another of its inputs; 0 for half of the
    // computer's memory.
    void set_max_memory(guint64 bytes) {
        dismantle();
        max_memory_ = bytes;
    }
    guint64 max_memory() const { return max_memory_; }

    // Whether arrays of the one get to the other.
    bool leads_to(std::size_t from, std::size_t to) const;
    // Nodes from sources to sinks. Who waits for a value comes behind whoever gives it.
    std::vector<std::size_t> in_order() const;
    // Edges that leave a node, or the same output as an edge does.
    std::size_t branches(std::size_t node) const;
    std::size_t branches(const Edge &edge) const;

  private:
    void add_node(Node node);
    void check() const;
    Json node_to_json(const Node &node) const;
    Json edge_to_json(const Edge &edge) const;
    Json binding_to_json(const Binding &binding) const;
    // Nodes and edges of a pipeline; the pads of each edge.
    std::vector<std::pair<ObjectRef<GstPad>, ObjectRef<GstPad>>> record(GstElement *pipeline);
    void dismantle();
    void check_outputs(std::size_t node) const;
    void check_inputs(std::size_t node) const;
    // The edge in front of the tees and queues that an edge comes from.
    const Edge &origin_of(const Edge &edge) const;
    // Names of the inputs of `target` to which arrays of an output get.
    std::set<std::string> inputs_reached(std::size_t source, const std::string &output,
                                         std::size_t target) const;

    std::vector<Node> nodes_;
    std::vector<Edge> edges_;
    std::vector<Binding> bindings_;
    std::unique_ptr<class Assembly> assembly_; // the pipeline, if there is one
    bool has_delayed_links_ = false;           // made by somebody else
    guint64 max_memory_ = 0;
};

// Sets the properties that a JSON object holds.
void set_properties(GstElement *element, const std::string &json);

} // namespace tomo
