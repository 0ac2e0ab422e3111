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

    Graph() = default;
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
    bool has_pipeline() const { return static_cast<bool>(pipeline_); }
    // Before each run of the pipeline.
    void forget_values();
    // Bytes that queues may hold which grow because a join waits for another of its inputs; 0 for half of the
    // computer's memory.
    void set_max_memory(guint64 bytes) {
        dismantle();
        max_memory_ = bytes;
    }
    guint64 max_memory() const { return max_memory_; }

  private:
    void add_node(Node node);
    void check() const;
    Json node_to_json(const Node &node) const;
    Json edge_to_json(const Edge &edge) const;
    Json binding_to_json(const Binding &binding) const;
    std::vector<std::size_t> in_order() const;
    // Whether arrays of the one get to the other.
    bool leads_to(std::size_t from, std::size_t to) const;
    std::vector<std::shared_ptr<class LiveBinding>> make_live_bindings() const;
    void build();
    // Nodes and edges of a pipeline; the pads of each edge.
    std::vector<std::pair<ObjectRef<GstPad>, ObjectRef<GstPad>>> record(GstElement *pipeline);
    void adopt(ObjectRef<GstElement> pipeline);
    void dismantle();
    void set_sinks_async(bool async);
    GstElement *add_helper(const char *factory, const std::string &name);
    // Links two pads, with a queue between them where the edge needs one.
    void link(std::size_t edge, GstPad *source, GstPad *sink, class Queues &queues);
    void link_later(std::size_t edge);
    // Edges that leave a node, or the same output as an edge does.
    std::size_t branches(std::size_t node) const;
    std::size_t branches(const Edge &edge) const;
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
    std::vector<std::shared_ptr<class LiveBinding>> live_bindings_; // of the pipeline
    ObjectRef<GstElement> pipeline_;
    std::vector<std::pair<ObjectRef<GstElement>, gulong>> handlers_; // that wait for pads
    std::vector<ObjectRef<GstElement>> sinks_;                       // whose property async was changed
    bool has_delayed_links_ = false;                                 // made by somebody else
    guint64 max_memory_ = 0;
};

// Sets the properties that a JSON object holds.
void set_properties(GstElement *element, const std::string &json);

// Inputs and outputs by number
// ---------------------------------------------------------------------------------------------------

// The pad that is an element's n-th input: its sink pad templates in order, the last of which may be numbered
// (sink_%u). Empty where GStreamer has to choose. Throws when there is no such input.
std::string input_pad(GstElement *element, unsigned n);
// The opposite; none where only the name tells.
std::optional<unsigned> input_number(GstElement *element, const std::string &pad);
// The pad that is an element's n-th output; empty for the first one. Throws when there is no such output.
std::string output_pad(GstElement *element, unsigned n);
// The output of that name, which is the first one's where it is empty; empty where only the stream tells.
std::string output_name(GstElement *element, const std::string &output);
// Whether outputs come by threads of their own, so that none waits for what the consumer of another one does.
bool has_independent_outputs(GstElement *element);

} // namespace tomo
