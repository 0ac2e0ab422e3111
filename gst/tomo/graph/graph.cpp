// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/graph/assembly.hpp>
#include <gst/tomo/graph/bindings.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/ports.hpp>

#include <algorithm>

namespace tomo {

using PadRef = ObjectRef<GstPad>;

Graph::Graph() = default;
Graph::~Graph() = default;

void Graph::add_node(Node node) {
    require_node(node.element.get());
    for (const auto &other : nodes_)
        if (other.name == node.name)
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("there are two nodes of the name '%s'", node.name.c_str()));
    dismantle();
    nodes_.push_back(std::move(node));
}

GstElement *Graph::add(const std::string &plugin, std::string name, const std::string &package) {
    if (name.empty()) {
        auto taken = [&](const std::string &candidate) {
            return std::any_of(nodes_.begin(), nodes_.end(),
                               [&](const Node &n) { return n.name == candidate; });
        };
        name = plugin;
        for (unsigned i = 1; taken(name); i++)
            name = text("%s-%u", plugin.c_str(), i);
    }
    const auto element =
        ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(make_element_of(plugin, name, package))));
    add_node({name, element});
    return element.get();
}

void Graph::add(GstElement *element) {
    const ObjectRef<GstObject> parent(gst_object_get_parent(GST_OBJECT(element)));
    if (parent)
        graph_error(
            GST_TOMO_GRAPH_ERROR_STRUCTURE,
            text("'%s' already belongs to '%s'", GST_OBJECT_NAME(element), GST_OBJECT_NAME(parent.get())));
    if (find(element))
        return;
    const CString name(gst_object_get_name(GST_OBJECT(element)));
    add_node({name.get(), ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(element)))});
}

std::size_t Graph::require(const std::string &name) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < nodes_.size(); i++) {
        if (nodes_[i].name == name)
            return i;
        names.push_back(nodes_[i].name);
    }
    graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                text("there is no node '%s'%s", name.c_str(), suggestion(name, names).c_str()));
}

std::optional<std::size_t> Graph::find(GstElement *element) const {
    for (std::size_t i = 0; i < nodes_.size(); i++)
        if (nodes_[i].element.get() == element)
            return i;
    return {};
}

void Graph::connect(std::size_t from, std::size_t to, unsigned input, const std::string &output) {
    connect(from, to, output, input_pad(nodes_[to].element.get(), input));
}

void Graph::connect(std::size_t from, std::size_t to, const std::string &output, const std::string &input) {
    GstElement *source = nodes_[from].element.get(), *sink = nodes_[to].element.get();
    auto require_template = [](GstElement *element, const std::string &name, GstPadDirection direction) {
        const auto all = templates_of(element, direction);
        const bool is_input = direction == GST_PAD_SINK;
        if (all.empty())
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("node '%s' is a %s", GST_OBJECT_NAME(element),
                             is_input ? "source and takes no input" : "sink and gives no output"));
        for (auto *templ : all) {
            const std::string stem = stem_of(templ);
            if (name.empty() || name == GST_PAD_TEMPLATE_NAME_TEMPLATE(templ) ||
                (is_numbered(templ) && name.size() > stem.size() && name.compare(0, stem.size(), stem) == 0))
                return;
        }
        const PadRef pad(gst_element_get_static_pad(element, name.c_str()));
        if (!pad || GST_PAD_DIRECTION(pad.get()) != direction)
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("node '%s' has no %s '%s'; it has %s", GST_OBJECT_NAME(element),
                             is_input ? "input" : "output", name.c_str(), list_of(all).c_str()));
    };
    require_template(source, output, GST_PAD_SRC);
    require_template(sink, input, GST_PAD_SINK);
    for (const auto &edge : edges_)
        if (edge.to == to && edge.input == input && !input.empty()) {
            const auto number = input_number(sink, input);
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("input %s of node '%s' is taken by '%s', so '%s' can't be connected to it",
                             number ? std::to_string(*number).c_str() : input.c_str(),
                             nodes_[to].name.c_str(), nodes_[edge.from].name.c_str(),
                             nodes_[from].name.c_str()));
        }
    dismantle();
    edges_.push_back({from, to, output, input});
}

void Graph::bind(std::size_t from, const std::string &result, std::size_t to, const std::string &property) {
    GstElement *source = nodes_[from].element.get(), *target = nodes_[to].element.get();
    const Binding binding{from, to, require_result(source, result)->name,
                          require_target(target, property)->name};
    if (from == to)
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("node '%s' can't be bound to itself", nodes_[from].name.c_str()));
    for (const auto &other : bindings_)
        if (other.to == to && other.property == binding.property)
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("property '%s' of node '%s' already takes its values from node '%s'",
                             binding.property.c_str(), nodes_[to].name.c_str(),
                             nodes_[other.from].name.c_str()));
    dismantle();
    bindings_.push_back(binding);
}

bool Graph::leads_to(std::size_t from, std::size_t to) const {
    std::vector<std::size_t> next{from};
    std::vector<bool> seen(nodes_.size());
    while (!next.empty()) {
        const auto node = next.back();
        next.pop_back();
        for (const auto &edge : edges_)
            if (edge.from == node && !seen[edge.to]) {
                seen[edge.to] = true;
                next.push_back(edge.to);
            }
    }
    return seen[to];
}

// From sources to sinks. Who waits for a value comes behind whoever gives it.
std::vector<std::size_t> Graph::in_order() const {
    std::vector<std::pair<std::size_t, std::size_t>> before;
    for (const auto &edge : edges_)
        before.emplace_back(edge.from, edge.to);
    for (const auto &binding : bindings_)
        if (!leads_to(binding.to, binding.from))
            before.emplace_back(binding.from, binding.to);
    std::vector<std::size_t> waiting(nodes_.size()), order;
    for (const auto &[from, to] : before)
        waiting[to]++;
    for (std::size_t i = 0; i < nodes_.size(); i++)
        if (waiting[i] == 0)
            order.push_back(i);
    for (std::size_t done = 0; done < order.size(); done++)
        for (const auto &[from, to] : before)
            if (from == order[done] && --waiting[to] == 0)
                order.push_back(to);
    if (order.size() == nodes_.size())
        return order;
    std::string names;
    for (std::size_t i = 0; i < nodes_.size(); i++)
        if (waiting[i])
            names += (names.empty() ? "" : ", ") + nodes_[i].name;
    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE, "these nodes wait for each other in a circle: " + names);
}

std::size_t Graph::branches(std::size_t node) const {
    return std::count_if(edges_.begin(), edges_.end(), [&](const Edge &e) { return e.from == node; });
}

std::size_t Graph::branches(const Edge &edge) const {
    GstElement *element = nodes_[edge.from].element.get();
    if (!has_independent_outputs(element))
        return branches(edge.from);
    const auto output = output_name(element, edge.output);
    return std::count_if(edges_.begin(), edges_.end(), [&](const Edge &e) {
        return e.from == edge.from && output_name(element, e.output) == output;
    });
}

std::set<std::string> Graph::inputs_reached(std::size_t source, const std::string &output,
                                            std::size_t target) const {
    std::vector<std::size_t> next;
    std::vector<bool> seen(nodes_.size());
    std::set<std::string> inputs;
    auto follow = [&](const Edge &edge) {
        if (edge.to == target) {
            inputs.insert(edge.input);
        } else if (!seen[edge.to]) {
            seen[edge.to] = true;
            next.push_back(edge.to);
        }
    };
    for (const auto &edge : edges_)
        if (edge.from == source && output_name(nodes_[source].element.get(), edge.output) == output)
            follow(edge);
    while (!next.empty()) {
        const auto node = next.back();
        next.pop_back();
        for (const auto &edge : edges_)
            if (edge.from == node)
                follow(edge);
    }
    return inputs;
}

GstElement *Graph::pipeline() {
    if (!assembly_) {
        check();
        assembly_ = Assembly::build(*this);
    }
    const char *environment = obeys_environment_ ? g_getenv("GST_TOMO_DEVICES") : nullptr;
    const bool is_placed = !devices_.empty() || (environment && *environment);
    auto placement = is_placed ? tomo::place(*this, devices_) : Placement();
    placement.goes_on = goes_on_;
    assembly_->place(placement);
    return assembly_->pipeline();
}

void Graph::forget_values() {
    if (assembly_)
        assembly_->forget_values();
}

void Graph::dismantle() { assembly_.reset(); }

// From a pipeline
// -----------------------------------------------------------------------------------------------

std::unique_ptr<Graph> Graph::from_pipeline(GstElement *pipeline) {
    if (!GST_IS_PIPELINE(pipeline))
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE, text("'%s' is no pipeline", GST_OBJECT_NAME(pipeline)));
    auto graph = std::make_unique<Graph>();
    const auto taken = ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(pipeline)));
    const auto links = graph->record(pipeline);
    if (!graph->has_delayed_links_)
        graph->check();
    graph->assembly_ = Assembly::adopt(*graph, pipeline, links);
    return graph;
}

std::string Graph::describe(GstElement *pipeline) {
    if (!GST_IS_PIPELINE(pipeline))
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE, text("'%s' is no pipeline", GST_OBJECT_NAME(pipeline)));
    Graph graph;
    graph.record(pipeline);
    graph.unfold();
    return graph.to_json();
}

void Graph::unfold() {
    std::vector<Node> nodes;
    std::vector<Edge> inner;
    std::vector<std::size_t> first, last; // of the nodes before, among those that stand for them
    Placement placement;
    for (const auto &node : nodes_) {
        const auto *runner = with_copies(node.element.get());
        const auto originals =
            runner && !runner->is_described() ? runner->originals() : std::vector<ObjectRef<GstElement>>();
        first.push_back(nodes.size());
        if (originals.empty())
            nodes.push_back(node);
        Placement::Chain chain;
        for (const auto &original : originals) {
            if (!chain.empty())
                inner.push_back({nodes.size() - 1, nodes.size(), "", "sink"});
            chain.push_back(nodes.size());
            nodes.push_back({GST_OBJECT_NAME(original.get()), original});
        }
        last.push_back(nodes.size() - 1);
        if (originals.empty())
            continue;
        gint on_failure = 0;
        g_object_get(node.element.get(), "on-failure", &on_failure, nullptr);
        goes_on_ = goes_on_ || on_failure != 0;
        placement.chains.push_back(std::move(chain));
        placement.devices.clear();
        for (const auto &copy : runner->copies())
            placement.devices.push_back({copy.device, copy.name});
    }
    for (auto &edge : edges_) {
        edge.from = last[edge.from];
        edge.to = first[edge.to];
    }
    edges_.insert(edges_.end(), inner.begin(), inner.end());
    nodes_ = std::move(nodes);
    if (placement.chains.empty())
        return;
    devices_ = placement.device_list();
    placed_ = std::move(placement);
    sort_nodes();
}

// Sources first, wherever the pipeline has its elements.
void Graph::sort_nodes() {
    const auto order = in_order();
    std::vector<Node> nodes;
    std::vector<std::size_t> now(nodes_.size());
    for (const auto node : order) {
        now[node] = nodes.size();
        nodes.push_back(nodes_[node]);
    }
    nodes_ = std::move(nodes);
    for (auto &edge : edges_) {
        edge.from = now[edge.from];
        edge.to = now[edge.to];
    }
    for (auto &chain : placed_->chains)
        for (auto &node : chain)
            node = now[node];
}

std::vector<std::pair<PadRef, PadRef>> Graph::record(GstElement *pipeline) {
    GST_OBJECT_LOCK(pipeline);
    for (GList *i = GST_BIN_CHILDREN(pipeline); i; i = i->next) // the newest is first
        nodes_.insert(nodes_.begin(),
                      {GST_OBJECT_NAME(i->data), ObjectRef<GstElement>::referenced(GST_ELEMENT(i->data))});
    GST_OBJECT_UNLOCK(pipeline);
    std::vector<std::pair<PadRef, PadRef>> links;
    for (std::size_t n = 0; n < nodes_.size(); n++)
        for (const auto &source : pads_of(nodes_[n].element.get(), GST_PAD_SRC)) {
            PadRef sink(gst_pad_get_peer(source.get()));
            const auto to = sink ? find(GST_PAD_PARENT(sink.get())) : std::nullopt;
            if (!to)
                continue;
            // The first output needs no name, and that of a tee none at all.
            const auto templates = templates_of(nodes_[n].element.get(), GST_PAD_SRC);
            GstPadTemplate *templ = GST_PAD_PAD_TEMPLATE(source.get());
            const bool is_usual = !templates.empty() && (templ == templates.front() || templates.size() == 1);
            edges_.push_back(
                {n, *to, is_usual ? "" : GST_OBJECT_NAME(source.get()), GST_OBJECT_NAME(sink.get())});
            links.emplace_back(source, std::move(sink));
        }
    for (std::size_t n = 0; n < nodes_.size(); n++)
        for (auto *templ : templates_of(nodes_[n].element.get(), GST_PAD_SRC))
            has_delayed_links_ |= branches(n) == 0 && GST_PAD_TEMPLATE_PRESENCE(templ) == GST_PAD_SOMETIMES;
    return links;
}

} // namespace tomo
