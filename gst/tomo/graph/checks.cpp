// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether nodes and edges make a dataflow.
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/ports.hpp>

#include <map>

namespace tomo {

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

} // namespace tomo
