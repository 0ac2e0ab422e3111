// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/negotiation.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/graph/assembly.hpp>
#include <gst/tomo/graph/bindings.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/ports.hpp>
#include <gst/tomo/graph/queues.hpp>
#include <gst/tomo/gsttomoarray.h>

#include <algorithm>
#include <map>

namespace tomo {

using PadRef = ObjectRef<GstPad>;

GstElement *Assembly::add_helper(const char *factory, const std::string &name) {
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

void Assembly::link(std::size_t edge, GstPad *source, GstPad *sink, Queues &queues) {
    const auto &e = graph_.edges()[edge];
    GstElement *target = graph_.nodes()[e.to].element.get();
    if (is_made_by(target, "queue"))
        queues.watch(edge, target);
    if (is_queue(target) || (graph_.branches(e) < 2 && !queues.is_critical(edge))) {
        link_pads(source, sink);
        return;
    }
    const std::string name = graph_.nodes()[e.from].name + "-to-" + graph_.nodes()[e.to].name;
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

void Assembly::link_later(std::size_t edge) {
    const auto &e = graph_.edges()[edge];
    const auto &from = graph_.nodes()[e.from].element;
    const auto id = g_signal_connect_data(
        from.get(), "pad-added", G_CALLBACK(pad_added),
        new DelayedLink{graph_.nodes()[e.to].element, e.output, e.input},
        [](gpointer link, GClosure *) { delete static_cast<DelayedLink *>(link); },
        static_cast<GConnectFlags>(0));
    handlers_.emplace_back(from, id);
}

std::unique_ptr<Assembly> Assembly::build(const Graph &graph) {
    auto assembly = std::unique_ptr<Assembly>(new Assembly(graph, gst_pipeline_new(nullptr)));
    assembly->add_nodes();
    assembly->make_live_bindings();
    Queues queues(graph, assembly->live_bindings_);
    for (const std::size_t node : graph.in_order()) {
        // The edges from each of its outputs.
        std::map<std::string, std::vector<std::size_t>> outputs;
        for (std::size_t e = 0; e < graph.edges().size(); e++)
            if (graph.edges()[e].from == node)
                outputs[output_name(graph.nodes()[node].element.get(), graph.edges()[e].output)].push_back(e);
        for (const auto &[output, edges] : outputs)
            assembly->connect_output(node, output, edges, queues);
    }
    assembly->connect_bindings();
    assembly->set_sinks_async(false);
    return assembly;
}

std::unique_ptr<Assembly> Assembly::adopt(const Graph &graph, GstElement *pipeline, const Links &links) {
    auto assembly = std::unique_ptr<Assembly>(new Assembly(graph, pipeline));
    Queues queues(graph, {});
    for (std::size_t e = 0; e < graph.edges().size(); e++) {
        const auto &edge = graph.edges()[e];
        if (graph.branches(edge) < 2) {
            if (GstElement *target = graph.nodes()[edge.to].element.get(); is_made_by(target, "queue"))
                queues.watch(e, target);
            continue;
        }
        gst_pad_unlink(links[e].first.get(), links[e].second.get());
        assembly->link(e, links[e].first.get(), links[e].second.get(), queues);
    }
    assembly->set_sinks_async(false);
    return assembly;
}

Assembly::Assembly(const Graph &graph, GstElement *pipeline)
    : graph_(graph), pipeline_(GST_ELEMENT(gst_object_ref_sink(pipeline))) {}

void Assembly::add_nodes() {
    for (const auto &node : graph_.nodes()) {
        const CString name(gst_object_get_name(GST_OBJECT(node.element.get())));
        if (!gst_bin_add(GST_BIN(pipeline_.get()), node.element.get()))
            graph_error(
                GST_TOMO_GRAPH_ERROR_STRUCTURE,
                text("node '%s' can't be added: it belongs to another pipeline, or has been renamed to "
                     "'%s', which another one is called, too",
                     node.name.c_str(), name.get()));
    }
}

void Assembly::connect_output(std::size_t node, const std::string &output,
                              const std::vector<std::size_t> &edges, Queues &queues) {
    const auto &nodes = graph_.nodes();
    GstElement *element = nodes[node].element.get();
    const PadRef source = output.empty() ? PadRef() : pad_named(element, output);
    const bool is_tee = source && edges.size() > 1;
    if (is_tee) {
        GstElement *tee = add_helper("tee", nodes[node].name + "-tee");
        const PadRef in(gst_element_get_static_pad(tee, "sink"));
        link_pads(source.get(), in.get());
        element = tee;
    }
    for (const std::size_t e : edges) {
        const auto &edge = graph_.edges()[e];
        PadRef pad = source;
        if (is_tee || output.empty()) { // one pad for each
            GstPadTemplate *templ = templates_of(element, GST_PAD_SRC).front();
            const bool on_request = GST_PAD_TEMPLATE_PRESENCE(templ) == GST_PAD_REQUEST;
            pad = PadRef(on_request ? gst_element_request_pad(element, templ, nullptr, nullptr) : nullptr);
        }
        if (!pad) {
            link_later(e);
            continue;
        }
        GstElement *target = nodes[edge.to].element.get();
        const PadRef sink = edge.input.empty()
                                ? PadRef(gst_element_get_compatible_pad(target, pad.get(), nullptr))
                                : require_sink(target, edge.input);
        if (!sink)
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("'%s' can't be connected to '%s': no input of the second one takes what the "
                             "first one gives",
                             nodes[node].name.c_str(), nodes[edge.to].name.c_str()));
        link(e, pad.get(), sink.get(), queues);
    }
}

void Assembly::make_live_bindings() {
    using TargetPosition = LiveBinding::TargetPosition;
    const auto &nodes = graph_.nodes();
    for (const auto &b : graph_.bindings()) {
        GstElement *source = nodes[b.from].element.get(), *target = nodes[b.to].element.get();
        const auto position = graph_.leads_to(b.from, b.to)   ? TargetPosition::downstream
                              : graph_.leads_to(b.to, b.from) ? TargetPosition::upstream
                                                              : TargetPosition::other_branch;
        if (position == TargetPosition::other_branch && templates_of(target, GST_PAD_SINK).empty())
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("node '%s' is a source, which can't wait for property '%s' of node '%s'",
                             nodes[b.to].name.c_str(), b.result.c_str(), nodes[b.from].name.c_str()));
        live_bindings_.push_back(std::make_shared<LiveBinding>(
            source, require_result(source, b.result), target, require_target(target, b.property), position));
    }
}

void Assembly::forget_values() {
    for (const auto &binding : live_bindings_)
        binding->reset();
}

// One sink may get its first array when another one has got its last, so sinks can't wait for each other
// before they begin.
void Assembly::set_sinks_async(bool async) {
    if (async) {
        for (const auto &sink : std::exchange(sinks_, {}))
            g_object_set(sink.get(), "async", TRUE, nullptr);
        return;
    }
    std::vector<ObjectRef<GstElement>> sinks;
    for (const auto &node : graph_.nodes())
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

bool Assembly::has_changed_async(GstElement *sink) const {
    return std::any_of(sinks_.begin(), sinks_.end(),
                       [&](const auto &changed) { return changed.get() == sink; });
}

// Placement
// ---------------------------------------------------------------------------------------------------

static PadRef lone_pad(GstElement *element, GstPadDirection direction) {
    return pads_of(element, direction).front();
}

void Assembly::connect_bindings() {
    for (const auto &binding : live_bindings_) {
        binding->disconnect();
        binding->connect();
    }
}

void Assembly::place(const Placement &placement) {
    if (placement == placement_ || GST_STATE(pipeline_.get()) != GST_STATE_NULL ||
        GST_STATE_PENDING(pipeline_.get()) != GST_STATE_VOID_PENDING)
        return;
    take_back();
    try {
        for (const auto &chain : placement.chains)
            place_chain(placement, chain);
    } catch (...) {
        take_back();
        throw;
    }
    for (const auto node : placement.moved) {
        const auto &element = graph_.nodes()[node].element;
        g_object_set(element.get(), "device", std::to_string(placement.devices.front().index).c_str(),
                     nullptr);
        moved_.push_back(element);
    }
    placement_ = placement;
    connect_bindings();
}

void Assembly::place_chain(const Placement &placement, const Placement::Chain &chain) {
    PlacedChain placed;
    for (const auto node : chain)
        placed.elements.push_back(graph_.nodes()[node].element);
    const PadRef first = lone_pad(placed.elements.front().get(), GST_PAD_SINK),
                 last = lone_pad(placed.elements.back().get(), GST_PAD_SRC);
    placed.before = PadRef(gst_pad_get_peer(first.get()));
    placed.behind = PadRef(gst_pad_get_peer(last.get()));
    placed.runner = ObjectRef<GstElement>::referenced(
        add_helper("tomodistribute", "distribute-" + graph_.nodes()[chain.front()].name));
    const auto &done = placed_.emplace_back(std::move(placed));
    gst_pad_unlink(done.before.get(), first.get());
    gst_pad_unlink(last.get(), done.behind.get());
    for (const auto &element : done.elements)
        gst_bin_remove(GST_BIN(pipeline_.get()), element.get());
    with_copies(done.runner.get())->set_originals(done.elements);
    // With fewer arrays than they compute at once, elements may give other bits.
    g_object_set(done.runner.get(), "devices", placement.device_list().c_str(), "whole-groups", TRUE,
                 nullptr);
    gst_util_set_object_arg(G_OBJECT(done.runner.get()), "on-failure",
                            placement.goes_on ? "continue" : "error");
    link_pads(done.before.get(), lone_pad(done.runner.get(), GST_PAD_SINK).get());
    link_pads(lone_pad(done.runner.get(), GST_PAD_SRC).get(), done.behind.get());
}

void Assembly::take_back() {
    for (const auto &placed : std::exchange(placed_, {})) {
        gst_element_set_state(placed.runner.get(), GST_STATE_NULL);
        with_copies(placed.runner.get())->set_originals({});
        gst_bin_remove(GST_BIN(pipeline_.get()), placed.runner.get());
        PadRef before = placed.before;
        for (const auto &element : placed.elements) {
            gst_bin_add(GST_BIN(pipeline_.get()), element.get());
            gst_pad_link(before.get(), lone_pad(element.get(), GST_PAD_SINK).get());
            before = lone_pad(element.get(), GST_PAD_SRC);
        }
        gst_pad_link(before.get(), placed.behind.get());
    }
    for (const auto &element : std::exchange(moved_, {}))
        g_object_set(element.get(), "device", "", nullptr);
    placement_ = {};
}

bool Assembly::has_moved(GstElement *element) const {
    return std::any_of(moved_.begin(), moved_.end(),
                       [&](const auto &moved) { return moved.get() == element; });
}

// End
// --------------------------------------------------------------------------------------------------------

Assembly::~Assembly() {
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    take_back();
    for (const auto &[element, id] : handlers_)
        g_signal_handler_disconnect(element.get(), id);
    for (const auto &binding : live_bindings_)
        binding->disconnect();
    set_sinks_async(true);
    for (const auto &node : graph_.nodes()) {
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
}

} // namespace tomo
