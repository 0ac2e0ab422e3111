// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A dataflow: nodes, which are elements, and edges between their pads. Its pipeline has the tees and queues
// that it needs. GstTomoGraph is its GObject.
#pragma once

#include <gst/tomo/graph/placement.hpp>
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
    // A property of one node that takes its values from a result of another node.
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
    // From a launch line, as one text or as the words that a shell split it into.
    static std::unique_ptr<Graph> from_line(const std::string &line);
    static std::unique_ptr<Graph> from_words(std::vector<std::string> words);
    // Takes over the elements of the pipeline.
    static std::unique_ptr<Graph> from_pipeline(GstElement *pipeline);
    // The JSON of a pipeline in any state, which does not change.
    static std::string describe(GstElement *pipeline);

    GstElement *add(const std::string &plugin, std::string name, const std::string &package = {});
    // Adds an element under its own name.
    void add(GstElement *element);
    void connect(std::size_t from, std::size_t to, unsigned input, const std::string &output = {});
    // By names of pads; for an empty name GStreamer chooses the pad.
    void connect(std::size_t from, std::size_t to, const std::string &output, const std::string &input);
    // bindings.hpp says when a value takes effect.
    void bind(std::size_t from, const std::string &result, std::size_t to, const std::string &property);

    // The number of the node. Throws with a suggestion if there is none of this name.
    std::size_t require(const std::string &name) const;
    std::optional<std::size_t> find(GstElement *element) const;
    const std::vector<Node> &nodes() const { return nodes_; }
    const std::vector<Edge> &edges() const { return edges_; }
    const std::vector<Binding> &bindings() const { return bindings_; }

    std::string to_json() const;

    // The pipeline, rebuilt when nodes or edges have changed. Throws if they do not make a pipeline. While it
    // is in state NULL, its parts are placed on their devices.
    GstElement *pipeline();
    bool has_pipeline() const { return static_cast<bool>(assembly_); }
    // Before each run of the pipeline: drops the values of bindings.
    void forget_values();
    // Most bytes in queues that grow because a join waits for another of its inputs; 0 for half of the
    // computer's memory.
    void set_max_memory(guint64 bytes) {
        dismantle();
        max_memory_ = bytes;
    }
    guint64 max_memory() const { return max_memory_; }
    // Devices on which the parts that may be copied run side by side, as choose_devices() takes them; empty:
    // no such parts.
    void set_devices(std::string devices) { devices_ = std::move(devices); }
    const std::string &devices() const { return devices_; }
    // Whether other devices do again what one that fails had.
    void set_goes_on(bool goes_on) { goes_on_ = goes_on; }
    bool goes_on() const { return goes_on_; }
    // From now on the environment variable GST_TOMO_DEVICES counts where no devices are set.
    void obey_environment() { obeys_environment_ = true; }

    // Whether arrays of node `from` reach node `to`.
    bool leads_to(std::size_t from, std::size_t to) const;
    // Nodes from sources to sinks. A node that waits for a value comes behind the node that gives it.
    std::vector<std::size_t> in_order() const;
    // Number of edges that leave a node, or that leave the same output as an edge.
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
    // Replaces elements that run copies by their originals.
    void unfold();
    void sort_nodes();
    void dismantle();
    void check_outputs(std::size_t node) const;
    void check_inputs(std::size_t node) const;
    // The edge in front of the tees and queues from which `edge` comes.
    const Edge &origin_of(const Edge &edge) const;
    // Names of the inputs of `target` that arrays of an output reach.
    std::set<std::string> inputs_reached(std::size_t source, const std::string &output,
                                         std::size_t target) const;

    std::vector<Node> nodes_;
    std::vector<Edge> edges_;
    std::vector<Binding> bindings_;
    std::unique_ptr<class Assembly> assembly_; // null if there is no pipeline
    bool has_delayed_links_ = false;           // in a pipeline of the application
    guint64 max_memory_ = 0;
    std::string devices_;
    bool goes_on_ = false; // after the failure of a device
    bool obeys_environment_ = false;
    std::optional<Placement> placed_; // of a pipeline that was recorded
};

// Sets the properties in a JSON object.
void set_properties(GstElement *element, const std::string &json);

} // namespace tomo
