// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Dataflows in UFO's JSON:
//
//     {"nodes": [{"plugin": "read", "name": "r", "properties": {"path": "a.tif"}}, ...],
//      "edges": [{"from": "r", "to": "w", "input": 0}, ...]}
//
// `from` and `to` may also be objects, {"name": "w", "input": 0}. Ours are, besides UFO's, properties that
// take their values from other nodes:
//
//     "bindings": [{"from": {"name": "measure", "property": "center"}, "to": {"name": "b", "property":
//     "axis-pos"}}]
//
// Old files of UFO have sets of properties that several nodes refer to:
//
//     "prop-sets": {"common": {"addressing-mode": 4401}}, "nodes": [{..., "prop-refs": ["common"]}]
//
// Editors keep where they draw the nodes in an object of their own, which is passed over here:
//
//     "layout": {"nodes": {"r": [0, 40]}, "groups": [{"title": "read", "nodes": ["r"]}]}
//
// `devices` lists the devices on which parts of the dataflow run side by side; `placement` tells which parts
// these are, and is passed over, too:
//
// With "on-failure": "continue", other devices do again what one that fails had.
//
//     "devices": "all", "placement": [{"nodes": ["b"], "devices": [{"index": 0, "name": "..."}, ...]}]
//
// Messages name file, line and column, node and key.
#include <gst/tomo/graph/assembly.hpp>
#include <gst/tomo/graph/graph.hpp>
#include <gst/tomo/graph/ports.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>

namespace tomo {

namespace {

class Loader {
  public:
    Loader(const std::string &origin, Graph &graph) : origin_(origin), graph_(graph) {}

    void load(const Json &root) {
        if (!root.is(Json::Kind::object))
            fail(root.place(), "wanted an object with 'nodes' and 'edges'");
        allow(root, "the root",
              {"version", "nodes", "edges", "bindings", "devices", "on-failure", "placement", "prop-sets",
               "layout", "index", "total"});
        check_partition(root);
        if (const Json *layout = root.find("layout"); layout && !layout->is(Json::Kind::object))
            fail(root.place("layout"), "'layout' is no object");
        // The devices that there are now decide anew.
        if (const Json *placement = root.find("placement"); placement && !placement->is(Json::Kind::list))
            fail(root.place("placement"), "'placement' is no array");
        if (const auto devices = string_of(root, "the root", "devices"))
            graph_.set_devices(*devices);
        if (const auto action = string_of(root, "the root", "on-failure")) {
            if (*action != "continue" && *action != "error")
                fail(root.place("on-failure"), "'on-failure' is '" + *action + "'; wanted error or continue");
            graph_.set_goes_on(*action == "continue");
        }
        sets_ = root.find("prop-sets");
        if (sets_ && !sets_->is(Json::Kind::object))
            fail(root.place("prop-sets"), "'prop-sets' is no object");
        each(root, "nodes", true, [&](const Json &node) { add_node(node); });
        each(root, "edges", false, [&](const Json &edge) { add_edge(edge); });
        each(root, "bindings", false, [&](const Json &binding) { add_binding(binding); });
    }

  private:
    std::string at(Json::Place place) const {
        return text("%s:%u:%u: ", origin_.c_str(), place.line, place.column);
    }
    [[noreturn]] void fail(Json::Place place, const std::string &message) const {
        graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, at(place) + message);
    }

    void allow(const Json &object, const std::string &what, const std::vector<std::string> &keys) const {
        for (const auto &[name, value, place] : object.members())
            if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
                std::string list;
                for (const auto &key : keys)
                    list += (list.empty() ? "" : ", ") + key;
                const std::string hint = suggestion(name, keys);
                fail(place, text("%s has an unknown key '%s'%s", what.c_str(), name.c_str(),
                                 hint.empty() ? ("; known are " + list).c_str() : hint.c_str()));
            }
    }

    // UFO marks a part of a distributed run by these; only the whole can be run here.
    void check_partition(const Json &root) const {
        auto is_usual = [&](const char *key, const char *usual) {
            const Json *number = root.find(key);
            if (number && !number->is_integer())
                fail(root.place(key), text("'%s' is no integer", key));
            return !number || number->text() == usual;
        };
        if (!is_usual("index", "0") || !is_usual("total", "1"))
            fail(root.place("index"),
                 "'index' and 'total' make this a part of a distributed run, which is not supported");
    }

    template <class F>
    void each(const Json &root, const char *key, bool required, F f) {
        const Json *list = root.find(key);
        if (!list && required)
            fail(root.place(), text("there are no '%s'", key));
        if (!list)
            return;
        if (!list->is(Json::Kind::list))
            fail(root.place(key), text("'%s' is no array", key));
        for (std::size_t i = 0; i < list->items().size(); i++) {
            const Json &item = list->items()[i];
            if (!item.is(Json::Kind::object))
                fail(item.place(), text("entry %zu of '%s' is no object", i, key));
            f(item);
        }
    }

    std::optional<std::string> string_of(const Json &object, const std::string &what, const char *key) const {
        const Json *value = object.find(key);
        if (!value)
            return {};
        if (!value->is(Json::Kind::text))
            fail(object.place(key), text("'%s' of %s is no text", key, what.c_str()));
        return value->text();
    }

    void add_node(const Json &object) {
        const std::string name = string_of(object, "a node", "name").value_or("");
        const std::string what = name.empty() ? "a node" : "node '" + name + "'";
        allow(object, what, {"plugin", "name", "package", "properties", "prop-refs"});
        const auto plugin = string_of(object, what, "plugin");
        if (!plugin)
            fail(object.place(), what + " has no 'plugin'");
        const std::string package = string_of(object, what, "package").value_or("");
        GstElement *element = nullptr;
        at(object.place("plugin"), what, [&] { element = graph_.add(*plugin, name, package); });
        const Json *properties = object.find("properties");
        if (properties && !properties->is(Json::Kind::object))
            fail(object.place("properties"), "'properties' of " + what + " is no object");
        if (properties)
            set_all(element, *properties);
        add_sets(object, what, element);
    }

    void set_all(GstElement *element, const Json &values) const {
        for (const auto &member : values.members())
            at(member.place, text("node '%s'", GST_OBJECT_NAME(element)),
               [&] { set_from_json(element, member.key, member.value); });
    }

    // As in UFO: a set's value counts more than the node's own, and a later set more than an earlier one.
    void add_sets(const Json &object, const std::string &what, GstElement *element) const {
        const Json *names = object.find("prop-refs");
        if (!names)
            return;
        if (!names->is(Json::Kind::list))
            fail(object.place("prop-refs"), "'prop-refs' of " + what + " is no array");
        for (const Json &name : names->items()) {
            const Json *set = sets_ && name.is(Json::Kind::text) ? sets_->find(name.text()) : nullptr;
            if (!set)
                fail(name.place(), what + " refers to " + name.written(false) +
                                       ", which is not among the 'prop-sets'" +
                                       suggestion(name.text(), names_of_sets()));
            if (!set->is(Json::Kind::object))
                fail(sets_->place(name.text()), "set '" + name.text() + "' of 'prop-sets' is no object");
            set_all(element, *set);
        }
    }

    std::vector<std::string> names_of_sets() const {
        std::vector<std::string> names;
        if (sets_)
            for (const auto &set : sets_->members())
                names.push_back(set.key);
        return names;
    }

    struct End {
        std::string name, pad;
        std::optional<unsigned> number;
    };

    // "name" or {"name": ..., "input": ...}.
    End end_of(const Json &edge, const char *key, const char *pad) const {
        const Json *value = edge.find(key);
        if (!value)
            fail(edge.place(), text("an edge has no '%s'", key));
        End end;
        if (value->is(Json::Kind::text)) {
            end.name = value->text();
        } else if (value->is(Json::Kind::object)) {
            const std::string what = text("'%s' of an edge", key);
            allow(*value, what, {"name", pad});
            const auto name = string_of(*value, what, "name");
            if (!name)
                fail(value->place(), what + " has no 'name'");
            end.name = *name;
            read_pad(end, *value, pad);
        } else {
            fail(value->place(), text("'%s' of an edge is neither the name of a node nor an object", key));
        }
        return end;
    }

    void read_pad(End &end, const Json &object, const char *key) const {
        const Json *value = object.find(key);
        if (!value)
            return;
        const std::string what = text("'%s' of the edge at node '%s'", key, end.name.c_str());
        End given;
        guint64 number = 0;
        if (value->is(Json::Kind::text))
            given.pad = value->text();
        else if (value->is_integer() &&
                 g_ascii_string_to_unsigned(value->text().c_str(), 10, 0, 1000000, &number, nullptr))
            given.number = static_cast<unsigned>(number);
        else
            fail(value->place(), what + " is neither a number from 0 on nor the name of a pad");
        if ((end.number || !end.pad.empty()) && (end.number != given.number || end.pad != given.pad))
            fail(value->place(), what + " is given twice, and differently");
        end.number = given.number;
        end.pad = given.pad;
    }

    void add_edge(const Json &edge) {
        allow(edge, "an edge", {"from", "to", "input", "output"});
        End from = end_of(edge, "from", "output"), to = end_of(edge, "to", "input");
        read_pad(from, edge, "output");
        read_pad(to, edge, "input");
        const std::string what = "edge from '" + from.name + "' to '" + to.name + "'";
        std::size_t source = 0, sink = 0;
        at(edge.place("from"), what, [&] { source = graph_.require(from.name); });
        at(edge.place("to"), what, [&] { sink = graph_.require(to.name); });
        if (from.number)
            at(edge.place("from"), what,
               [&] { from.pad = output_pad(graph_.nodes()[source].element.get(), *from.number); });
        at(edge.place("to"), what, [&] {
            const std::string input =
                to.pad.empty() ? input_pad(graph_.nodes()[sink].element.get(), to.number.value_or(0))
                               : to.pad;
            graph_.connect(source, sink, from.pad, input);
        });
    }

    // {"name": ..., "property": ...}
    std::pair<std::string, std::string> property_end(const Json &binding, const char *key) const {
        const Json *value = binding.find(key);
        if (!value || !value->is(Json::Kind::object))
            fail(binding.place(key), text("'%s' of a binding is no object of 'name' and 'property'", key));
        const std::string what = text("'%s' of a binding", key);
        allow(*value, what, {"name", "property"});
        const auto name = string_of(*value, what, "name"), property = string_of(*value, what, "property");
        if (!name || !property)
            fail(value->place(), what + text(" has no '%s'", name ? "property" : "name"));
        return {*name, *property};
    }

    void add_binding(const Json &binding) {
        allow(binding, "a binding", {"from", "to"});
        const auto [source, result] = property_end(binding, "from");
        const auto [target, property] = property_end(binding, "to");
        const std::string what = "binding from '" + source + "' to '" + target + "'";
        std::size_t from = 0, to = 0;
        at(binding.place("from"), what, [&, name = source] { from = graph_.require(name); });
        at(binding.place("to"), what, [&, name = target] { to = graph_.require(name); });
        at(binding.place(), what, [&, r = result, p = property] { graph_.bind(from, r, to, p); });
    }

    // Says where something went wrong.
    template <class F>
    void at(Json::Place place, const std::string &what, F f) const {
        try {
            f();
        } catch (const Error &e) {
            throw Error(e.domain, e.code, at(place) + what + ": " + e.what(), e.debug);
        }
    }

    const std::string &origin_;
    Graph &graph_;
    const Json *sets_ = nullptr; // of properties, by name
};

} // namespace

std::unique_ptr<Graph> Graph::from_json(const std::string &json, const std::string &origin) {
    const Json root = Json::parse(json, origin);
    auto graph = std::make_unique<Graph>();
    Loader(origin, *graph).load(root);
    return graph;
}

std::unique_ptr<Graph> Graph::from_file(const std::string &file) {
    return from_json(read_text_file(file, "a dataflow in JSON"), file);
}

void set_properties(GstElement *element, const std::string &json) {
    const Json values = Json::parse(json, "JSON");
    if (!values.is(Json::Kind::object))
        graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, "wanted an object of properties and values");
    for (const auto &member : values.members())
        set_from_json(element, member.key, member.value);
}

Json Graph::node_to_json(const Node &node) const {
    GstElementFactory *factory = gst_element_get_factory(node.element.get());
    if (!factory || (GST_IS_BIN(node.element.get()) && plugin_name(factory) == "bin"))
        graph_error(
            GST_TOMO_GRAPH_ERROR_STRUCTURE,
            text("node '%s' was made by the application and can't be written as JSON", node.name.c_str()));
    Json json = Json::object();
    json.set("plugin", Json::text(plugin_name(factory)));
    json.set("name", Json::text(node.name));
    const bool is_helped = assembly_ && assembly_->has_changed_async(node.element.get()),
               is_moved = assembly_ && assembly_->has_moved(node.element.get());
    const Json properties = properties_to_json(node.element.get());
    Json written = Json::object();
    for (const auto &[key, value, place] : properties.members())
        if ((!is_helped || key != "async") && (!is_moved || key != "device"))
            written.set(key, value);
    if (!written.members().empty())
        json.set("properties", std::move(written));
    return json;
}

Json Graph::edge_to_json(const Edge &edge) const {
    Json from = Json::object(), to = Json::object(), json = Json::object();
    from.set("name", Json::text(nodes_[edge.from].name));
    if (!edge.output.empty())
        from.set("output", Json::text(edge.output));
    to.set("name", Json::text(nodes_[edge.to].name));
    const auto number = input_number(nodes_[edge.to].element.get(), edge.input);
    to.set("input", number || edge.input.empty() ? Json::integer(guint64{number.value_or(0)})
                                                 : Json::text(edge.input));
    json.set("from", std::move(from));
    json.set("to", std::move(to));
    return json;
}

Json Graph::binding_to_json(const Binding &binding) const {
    auto end = [&](std::size_t node, const std::string &property) {
        Json json = Json::object();
        json.set("name", Json::text(nodes_[node].name));
        json.set("property", Json::text(property));
        return json;
    };
    Json json = Json::object();
    json.set("from", end(binding.from, binding.result));
    json.set("to", end(binding.to, binding.property));
    return json;
}

std::string Graph::to_json() const {
    if (has_delayed_links_)
        graph_error(
            GST_TOMO_GRAPH_ERROR_STRUCTURE,
            "some outputs come into being when the stream is known, so the edges can't be written as JSON");
    auto list_of = [](const auto &all, auto write) {
        Json list = Json::list();
        for (const auto &one : all)
            list.add(write(one));
        return list;
    };
    Json json = Json::object();
    json.set("version", Json::text("2.0")); // of UFO's schema
    json.set("nodes", list_of(nodes_, [this](const Node &node) { return node_to_json(node); }));
    json.set("edges", list_of(edges_, [this](const Edge &edge) { return edge_to_json(edge); }));
    if (!bindings_.empty())
        json.set("bindings", list_of(bindings_, [this](const Binding &b) { return binding_to_json(b); }));
    if (!devices_.empty()) {
        json.set("devices", Json::text(devices_));
        if (goes_on_)
            json.set("on-failure", Json::text("continue"));
        json.set("placement", (placed_ ? *placed_ : place(*this, devices_)).to_json(*this));
    }
    return json.written(true) + "\n";
}

} // namespace tomo
