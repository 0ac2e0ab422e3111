// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/source-bin.hpp>
#include <gst/tomo/graph/bindings.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/queues.hpp>
#include <gst/tomo/gsttomoarray.h>

#include <algorithm>
#include <cstring>

namespace tomo {

using PadRef = ObjectRef<GstPad>;

// Inputs and outputs
// -------------------------------------------------------------------------------------------

static std::vector<GstPadTemplate *> templates_of(GstElement *element, GstPadDirection direction) {
    std::vector<GstPadTemplate *> found;
    for (GList *i = gst_element_class_get_pad_template_list(GST_ELEMENT_GET_CLASS(element)); i; i = i->next) {
        auto *templ = GST_PAD_TEMPLATE(i->data);
        if (GST_PAD_TEMPLATE_DIRECTION(templ) == direction)
            found.push_back(templ);
    }
    return found;
}

static bool is_numbered(GstPadTemplate *templ) {
    return std::strchr(GST_PAD_TEMPLATE_NAME_TEMPLATE(templ), '%') != nullptr;
}

static std::string stem_of(GstPadTemplate *templ) {
    const std::string name = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
    return name.substr(0, name.find('%'));
}

// "sink_%u", but not "src_%u_%u" or "%s".
static bool counts(GstPadTemplate *templ) {
    const std::string rest = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ) + stem_of(templ).size();
    return rest == "%u" || rest == "%d";
}

static std::string list_of(const std::vector<GstPadTemplate *> &templates) {
    std::string list;
    for (auto *templ : templates)
        list += (list.empty() ? "" : ", ") + std::string(GST_PAD_TEMPLATE_NAME_TEMPLATE(templ));
    return list;
}

std::string input_pad(GstElement *element, unsigned n) {
    const auto all = templates_of(element, GST_PAD_SINK);
    std::vector<GstPadTemplate *> fixed, numbered;
    for (auto *templ : all)
        (is_numbered(templ) ? numbered : fixed).push_back(templ);
    if (n < fixed.size())
        return GST_PAD_TEMPLATE_NAME_TEMPLATE(fixed[n]);
    if (numbered.size() == 1 && counts(numbered.front()))
        return stem_of(numbered.front()) + std::to_string(n - fixed.size());
    if (!numbered.empty() && n == 0)
        return {};
    if (all.empty())
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("node '%s' is a source and takes no input", GST_OBJECT_NAME(element)));
    if (!numbered.empty())
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("node '%s' has inputs of several kinds (%s): give the name instead of number %u",
                         GST_OBJECT_NAME(element), list_of(all).c_str(), n));
    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                text("node '%s' has no input %u; its inputs are 0 to %zu (%s)", GST_OBJECT_NAME(element), n,
                     fixed.size() - 1, list_of(all).c_str()));
}

std::optional<unsigned> input_number(GstElement *element, const std::string &pad) {
    unsigned n = 0;
    GstPadTemplate *numbered = nullptr;
    unsigned kinds = 0;
    for (auto *templ : templates_of(element, GST_PAD_SINK)) {
        if (is_numbered(templ)) {
            numbered = templ;
            kinds++;
        } else if (pad == GST_PAD_TEMPLATE_NAME_TEMPLATE(templ)) {
            return n;
        } else {
            n++;
        }
    }
    const std::string stem = kinds == 1 ? stem_of(numbered) : "";
    if (kinds != 1 || !counts(numbered) || pad.compare(0, stem.size(), stem) != 0)
        return {};
    char *end = nullptr;
    const auto i = g_ascii_strtoull(pad.c_str() + stem.size(), &end, 10);
    return *end == 0 && end != pad.c_str() + stem.size() ? std::optional<unsigned>(n + i) : std::nullopt;
}

std::string output_pad(GstElement *element, unsigned n) {
    const auto all = templates_of(element, GST_PAD_SRC);
    if (n == 0 || (all.size() == 1 && is_numbered(all.front()))) // each edge gets a pad of its own
        return {};
    if (n < all.size() && !is_numbered(all[n]))
        return GST_PAD_TEMPLATE_NAME_TEMPLATE(all[n]);
    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                all.empty() ? text("node '%s' is a sink and gives no output", GST_OBJECT_NAME(element))
                            : text("node '%s' has no output %u; it has %s, counted from 0",
                                   GST_OBJECT_NAME(element), n, list_of(all).c_str()));
}

std::string output_name(GstElement *element, const std::string &output) {
    const auto all = templates_of(element, GST_PAD_SRC);
    const bool is_there = !all.empty() && GST_PAD_TEMPLATE_PRESENCE(all.front()) == GST_PAD_ALWAYS;
    return output.empty() && is_there ? GST_PAD_TEMPLATE_NAME_TEMPLATE(all.front()) : output;
}

bool has_independent_outputs(GstElement *element) {
    return dynamic_cast<SourceBin *>(element_of(element)) != nullptr;
}

static std::vector<PadRef> pads_of(GstElement *element, GstPadDirection direction) {
    std::vector<PadRef> pads;
    GST_OBJECT_LOCK(element);
    for (GList *i = element->pads; i; i = i->next)
        if (GST_PAD_DIRECTION(i->data) == direction)
            pads.push_back(PadRef::referenced(GST_PAD(i->data)));
    GST_OBJECT_UNLOCK(element);
    return pads;
}

static GstPadPresence presence(GstPad *pad) {
    GstPadTemplate *templ = GST_PAD_PAD_TEMPLATE(pad);
    return templ ? GST_PAD_TEMPLATE_PRESENCE(templ) : GST_PAD_ALWAYS;
}

// Nodes and edges
// ------------------------------------------------------------------------------------------------

Graph::~Graph() {
    if (pipeline_)
        gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    dismantle();
}

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

std::vector<std::shared_ptr<LiveBinding>> Graph::make_live_bindings() const {
    std::vector<std::shared_ptr<LiveBinding>> live_bindings;
    for (const auto &b : bindings_) {
        GstElement *source = nodes_[b.from].element.get(), *target = nodes_[b.to].element.get();
        const auto place = leads_to(b.from, b.to)   ? LiveBinding::Place::below
                           : leads_to(b.to, b.from) ? LiveBinding::Place::above
                                                    : LiveBinding::Place::beside;
        if (place == LiveBinding::Place::beside && templates_of(target, GST_PAD_SINK).empty())
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("node '%s' is a source, which can't wait for property '%s' of node '%s'",
                             nodes_[b.to].name.c_str(), b.result.c_str(), nodes_[b.from].name.c_str()));
        live_bindings.push_back(std::make_shared<LiveBinding>(
            source, require_result(source, b.result), target, require_target(target, b.property), place));
    }
    return live_bindings;
}

void Graph::forget_values() {
    for (const auto &binding : live_bindings_)
        binding->reset();
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

static bool is_made_by(GstElement *element, const char *factory_name) {
    GstElementFactory *factory = gst_element_get_factory(element);
    return factory && g_strcmp0(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory)), factory_name) == 0;
}

// An input of a join that stands for the same as another one (flats and flats-after).
static bool is_optional(GstElement *element, const std::string &input) {
    const char *list = gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(element), "tomo-optional-inputs");
    const std::unique_ptr<char *, decltype(&g_strfreev)> names(g_strsplit(list ? list : "", " ", -1),
                                                               g_strfreev);
    return g_strv_contains(names.get(), input.c_str());
}

const Graph::Edge &Graph::origin_of(const Edge &edge) const {
    GstElement *element = nodes_[edge.from].element.get();
    if (is_made_by(element, "tee") || is_made_by(element, "queue"))
        for (const auto &e : edges_)
            if (e.to == edge.from)
                return origin_of(e);
    return edge;
}

// Inputs of a join that have names stand for different things, so none gets the arrays of another one.
void Graph::check_inputs(std::size_t node) const {
    GstElement *element = nodes_[node].element.get();
    if (!dynamic_cast<Joiner *>(element_of(element)))
        return;
    std::map<std::pair<std::size_t, std::string>, std::string> inputs; // by the output that they get
    for (const auto &edge : edges_) {
        if (edge.to != node || is_optional(element, edge.input) ||
            !gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element), edge.input.c_str()))
            continue;
        const Edge &origin = origin_of(edge);
        const auto output = output_name(nodes_[origin.from].element.get(), origin.output);
        const auto [other, is_new] = inputs.try_emplace({origin.from, output}, edge.input);
        if (!is_new)
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("inputs '%s' and '%s' of node '%s' get the same arrays, those of node '%s', but "
                             "stand for different things: connect each to a node or an output of its own",
                             other->second.c_str(), edge.input.c_str(), nodes_[node].name.c_str(),
                             nodes_[origin.from].name.c_str()));
    }
}

// A source has outputs of the same names as the inputs of a join, but one of these gets another output, which
// is what another input takes: projections for darks.
void Graph::check_outputs(std::size_t node) const {
    const auto outputs = templates_of(nodes_[node].element.get(), GST_PAD_SRC);
    for (std::size_t join = 0; outputs.size() > 1 && join < nodes_.size(); join++) {
        std::map<std::string, std::set<std::string>> reached; // by output
        for (auto *templ : outputs) {
            const char *output = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
            reached[output] = inputs_reached(node, output, join);
        }
        for (const auto &[output, inputs] : reached)
            for (const auto &input : inputs) {
                const auto named = reached.find(input);
                if (inputs.size() < 2 || input == output || named == reached.end() ||
                    named->second.count(input) || is_optional(nodes_[join].element.get(), input))
                    continue;
                graph_error(
                    GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("input '%s' of node '%s' gets the output '%s' of node '%s', which has an output "
                         "'%s': connect that one (in Python outputs[\"%s\"], in JSON \"output\": \"%s\", in "
                         "a line %s.%s)",
                         input.c_str(), nodes_[join].name.c_str(), output.c_str(), nodes_[node].name.c_str(),
                         input.c_str(), input.c_str(), input.c_str(), nodes_[node].name.c_str(),
                         input.c_str()));
            }
    }
}

void Graph::check() const {
    if (nodes_.empty())
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE, "there is no node");
    in_order();
    for (std::size_t n = 0; n < nodes_.size(); n++) {
        GstElement *element = nodes_[n].element.get();
        check_outputs(n);
        check_inputs(n);
        std::set<std::string> inputs;
        std::set<unsigned> numbers;
        for (const auto &edge : edges_)
            if (edge.to == n) {
                inputs.insert(edge.input);
                if (const auto number = input_number(element, edge.input))
                    numbers.insert(*number);
            }
        const auto sinks = templates_of(element, GST_PAD_SINK), sources = templates_of(element, GST_PAD_SRC);
        unsigned always = 0;
        for (auto *templ : sinks)
            if (GST_PAD_TEMPLATE_PRESENCE(templ) == GST_PAD_ALWAYS) {
                if (!inputs.count(GST_PAD_TEMPLATE_NAME_TEMPLATE(templ)))
                    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                                text("nothing is connected to input %u of node '%s'", always,
                                     nodes_[n].name.c_str()));
                always++;
            }
        if (!sinks.empty() && inputs.empty())
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("nothing is connected to node '%s'; its inputs are %s", nodes_[n].name.c_str(),
                             list_of(sinks).c_str()));
        unsigned expected = 0;
        if (!sinks.empty() && is_numbered(sinks.back()))
            for (unsigned number : numbers) {
                if (number > expected)
                    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                                text("node '%s' has an input %u, but nothing is connected to input %u",
                                     nodes_[n].name.c_str(), number, expected));
                expected = number + 1;
            }
        const bool gives = std::any_of(sources.begin(), sources.end(), [](GstPadTemplate *t) {
            return GST_PAD_TEMPLATE_PRESENCE(t) == GST_PAD_ALWAYS;
        });
        if (gives && branches(n) == 0)
            graph_error(
                GST_TOMO_GRAPH_ERROR_STRUCTURE,
                text("nobody takes the output of node '%s': connect it to another one, if only to 'null'",
                     nodes_[n].name.c_str()));
    }
}

// As a pipeline
// --------------------------------------------------------------------------------------------------

GstElement *Graph::add_helper(const char *factory, const std::string &name) {
    std::string free = name;
    for (unsigned i = 1;; i++) {
        const ObjectRef<GstElement> taken(gst_bin_get_by_name(GST_BIN(pipeline_.get()), free.c_str()));
        if (!taken)
            break;
        free = text("%s-%u", name.c_str(), i);
    }
    GstElement *helper = make_element_of(factory, free);
    gst_bin_add(GST_BIN(pipeline_.get()), helper);
    return helper;
}

[[noreturn]] static void refuse_link(GstPad *source, GstPad *sink, const char *reason) {
    const CapsRef given(gst_pad_query_caps(source, nullptr)), taken(gst_pad_query_caps(sink, nullptr));
    const CString from(gst_object_get_name(GST_OBJECT(GST_PAD_PARENT(source)))),
        to(gst_object_get_name(GST_OBJECT(GST_PAD_PARENT(sink))));
    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                text("'%s' can't be connected to '%s': %s; the first one gives %s, the second one takes %s%s",
                     from.get(), to.get(), reason, describe_caps(given.get()).c_str(),
                     describe_caps(taken.get()).c_str(), link_advice(given.get(), taken.get()).c_str()));
}

static void link_pads(GstPad *source, GstPad *sink) {
    const auto result = gst_pad_link(source, sink);
    if (result != GST_PAD_LINK_OK)
        refuse_link(source, sink,
                    result == GST_PAD_LINK_NOFORMAT ? "their types do not fit"
                                                    : gst_pad_link_get_name(result));
}

static bool is_queue(GstElement *element) {
    return is_made_by(element, "queue") || is_made_by(element, "queue2") || is_made_by(element, "multiqueue");
}

static bool gives_arrays(GstPad *source) {
    const CapsRef caps(gst_pad_query_caps(source, nullptr));
    return !gst_caps_is_any(caps.get()) && !gst_caps_is_empty(caps.get()) &&
           gst_structure_has_name(gst_caps_get_structure(caps.get(), 0), GST_TOMO_ARRAY_MEDIA_TYPE);
}

void Graph::link(std::size_t edge, GstPad *source, GstPad *sink, Queues &queues) {
    const Edge &e = edges_[edge];
    GstElement *target = nodes_[e.to].element.get();
    if (is_made_by(target, "queue"))
        queues.watch(edge, target);
    if (is_queue(target) || (branches(e) < 2 && !queues.is_critical(edge))) {
        link_pads(source, sink);
        return;
    }
    const std::string name = nodes_[e.from].name + "-to-" + nodes_[e.to].name;
    PadRef from = PadRef::referenced(source);
    // A whole stream would not fit into the memory of a device.
    if (queues.may_fill(edge) && gives_arrays(source) && find_factory("download")) {
        GstElement *download = add_helper("tomodownload", name + "-download");
        const PadRef in(gst_element_get_static_pad(download, "sink"));
        link_pads(from.get(), in.get());
        from = PadRef(gst_element_get_static_pad(download, "src"));
    }
    GstElement *queue = add_helper("queue", name);
    queues.manage(edge, queue);
    const PadRef in(gst_element_get_static_pad(queue, "sink")), out(gst_element_get_static_pad(queue, "src"));
    link_pads(from.get(), in.get());
    link_pads(out.get(), sink);
}

// The pad of that name, requested if need be.
static PadRef pad_named(GstElement *element, const std::string &name) {
    PadRef pad(gst_element_get_static_pad(element, name.c_str()));
    if (!pad)
        pad = PadRef(gst_element_request_pad_simple(element, name.c_str()));
    return pad;
}

static PadRef require_sink(GstElement *element, const std::string &name) {
    PadRef pad = pad_named(element, name);
    if (!pad)
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("node '%s' gives no input '%s'", GST_OBJECT_NAME(element), name.c_str()));
    return pad;
}

namespace {
struct DelayedLink {
    ObjectRef<GstElement> to;
    std::string output, input;
};
} // namespace

// For outputs that come into being when the stream is known.
static void pad_added(GstElement *, GstPad *pad, gpointer data) {
    const auto &link = *static_cast<DelayedLink *>(data);
    if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC || gst_pad_is_linked(pad) ||
        (!link.output.empty() && link.output != GST_OBJECT_NAME(pad)))
        return;
    const PadRef sink = link.input.empty()
                            ? PadRef(gst_element_get_compatible_pad(link.to.get(), pad, nullptr))
                            : pad_named(link.to.get(), link.input);
    if (sink && !gst_pad_is_linked(sink.get()))
        gst_pad_link(pad, sink.get());
}

void Graph::link_later(std::size_t edge) {
    const auto &from = nodes_[edges_[edge].from].element;
    const auto id = g_signal_connect_data(
        from.get(), "pad-added", G_CALLBACK(pad_added),
        new DelayedLink{nodes_[edges_[edge].to].element, edges_[edge].output, edges_[edge].input},
        [](gpointer link, GClosure *) { delete static_cast<DelayedLink *>(link); },
        static_cast<GConnectFlags>(0));
    handlers_.emplace_back(from, id);
}

void Graph::build() {
    check();
    pipeline_ = ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new(nullptr))));
    for (const auto &node : nodes_) {
        const CString name(gst_object_get_name(GST_OBJECT(node.element.get())));
        if (!gst_bin_add(GST_BIN(pipeline_.get()), node.element.get()))
            graph_error(
                GST_TOMO_GRAPH_ERROR_STRUCTURE,
                text("node '%s' can't be added: it belongs to another pipeline, or has been renamed to "
                     "'%s', which another one is called, too",
                     node.name.c_str(), name.get()));
    }
    live_bindings_ = make_live_bindings();
    Queues queues(*this, live_bindings_);
    for (const std::size_t n : in_order()) {
        GstElement *element = nodes_[n].element.get();
        // The edges from each of its pads.
        std::map<std::string, std::vector<std::size_t>> outputs;
        for (std::size_t e = 0; e < edges_.size(); e++) {
            if (edges_[e].from != n)
                continue;
            outputs[output_name(element, edges_[e].output)].push_back(e);
        }
        for (const auto &[output, edges] : outputs) {
            PadRef source = output.empty() ? PadRef() : pad_named(element, output);
            const bool is_tee = source && edges.size() > 1;
            if (is_tee) {
                GstElement *tee = add_helper("tee", nodes_[n].name + "-tee");
                const PadRef in(gst_element_get_static_pad(tee, "sink"));
                link_pads(source.get(), in.get());
                element = tee;
            }
            for (const std::size_t e : edges) {
                PadRef pad = source;
                if (is_tee || output.empty()) { // one pad for each
                    GstPadTemplate *templ = templates_of(element, GST_PAD_SRC).front();
                    const bool on_request = GST_PAD_TEMPLATE_PRESENCE(templ) == GST_PAD_REQUEST;
                    pad = PadRef(on_request ? gst_element_request_pad(element, templ, nullptr, nullptr)
                                            : nullptr);
                }
                if (!pad) {
                    link_later(e);
                    continue;
                }
                GstElement *target = nodes_[edges_[e].to].element.get();
                const PadRef sink = edges_[e].input.empty()
                                        ? PadRef(gst_element_get_compatible_pad(target, pad.get(), nullptr))
                                        : require_sink(target, edges_[e].input);
                if (!sink)
                    graph_error(
                        GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("'%s' can't be connected to '%s': no input of the second one takes what the "
                             "first one gives",
                             nodes_[n].name.c_str(), nodes_[edges_[e].to].name.c_str()));
                link(e, pad.get(), sink.get(), queues);
            }
            element = nodes_[n].element.get();
        }
    }
    for (const auto &binding : live_bindings_)
        binding->connect();
    set_sinks_async(false);
}

// One sink may get its first array when another one has got its last, so sinks can't wait for each other
// before they begin.
void Graph::set_sinks_async(bool async) {
    if (async) {
        for (const auto &sink : std::exchange(sinks_, {}))
            g_object_set(sink.get(), "async", TRUE, nullptr);
        return;
    }
    std::vector<ObjectRef<GstElement>> sinks;
    for (const auto &node : nodes_)
        if (GST_OBJECT_FLAG_IS_SET(node.element.get(), GST_ELEMENT_FLAG_SINK))
            sinks.push_back(node.element);
    for (const auto &sink : sinks) {
        GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(sink.get()), "async");
        gboolean is_async = FALSE;
        if (sinks.size() < 2 || !spec || spec->value_type != G_TYPE_BOOLEAN)
            continue;
        g_object_get(sink.get(), "async", &is_async, nullptr);
        if (!is_async)
            continue;
        g_object_set(sink.get(), "async", FALSE, nullptr);
        sinks_.push_back(sink);
    }
}

void Graph::dismantle() {
    if (!pipeline_)
        return;
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    for (const auto &[element, id] : std::exchange(handlers_, {}))
        g_signal_handler_disconnect(element.get(), id);
    for (const auto &binding : std::exchange(live_bindings_, {}))
        binding->disconnect();
    set_sinks_async(true);
    for (const auto &node : nodes_) {
        GstElement *element = node.element.get();
        for (const auto direction : {GST_PAD_SINK, GST_PAD_SRC})
            for (const auto &pad : pads_of(element, direction)) {
                if (const PadRef peer(gst_pad_get_peer(pad.get())); peer) {
                    if (direction == GST_PAD_SINK)
                        gst_pad_unlink(peer.get(), pad.get());
                    else
                        gst_pad_unlink(pad.get(), peer.get());
                }
                if (presence(pad.get()) == GST_PAD_REQUEST)
                    gst_element_release_request_pad(element, pad.get());
            }
        if (GST_OBJECT_PARENT(element) == GST_OBJECT(pipeline_.get()))
            gst_bin_remove(GST_BIN(pipeline_.get()), element);
    }
    pipeline_ = {};
}

GstElement *Graph::pipeline() {
    if (!pipeline_) {
        try {
            build();
        } catch (...) {
            dismantle();
            throw;
        }
    }
    return pipeline_.get();
}

// From a pipeline
// -----------------------------------------------------------------------------------------------

std::unique_ptr<Graph> Graph::from_pipeline(GstElement *pipeline) {
    if (!GST_IS_PIPELINE(pipeline))
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE, text("'%s' is no pipeline", GST_OBJECT_NAME(pipeline)));
    auto graph = std::make_unique<Graph>();
    graph->adopt(ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(pipeline))));
    return graph;
}

std::string Graph::describe(GstElement *pipeline) {
    if (!GST_IS_PIPELINE(pipeline))
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE, text("'%s' is no pipeline", GST_OBJECT_NAME(pipeline)));
    Graph graph;
    graph.record(pipeline);
    return graph.to_json();
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

void Graph::adopt(ObjectRef<GstElement> pipeline) {
    const auto links = record(pipeline.get());
    if (!has_delayed_links_)
        check();
    pipeline_ = std::move(pipeline);
    Queues queues(*this, {});
    for (std::size_t e = 0; e < edges_.size(); e++) {
        if (branches(edges_[e]) < 2) {
            if (GstElement *target = nodes_[edges_[e].to].element.get(); is_made_by(target, "queue"))
                queues.watch(e, target);
            continue;
        }
        gst_pad_unlink(links[e].first.get(), links[e].second.get());
        link(e, links[e].first.get(), links[e].second.get(), queues);
    }
    set_sinks_async(false);
}

} // namespace tomo
