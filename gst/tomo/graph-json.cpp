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
// Messages name file, line, node and key.
#include <gst/tomo/graph.hpp>

#include <algorithm>

namespace tomo {

namespace {

constexpr int max_nesting = 64; // the parser is recursive

struct ParserUnref {
    void operator()(JsonParser *p) const { g_object_unref(p); }
};

// JSON text and the lines on which objects and members stand.
class Document {
  public:
    Document(const std::string &json, std::string origin)
        : origin_(std::move(origin)), parser_(json_parser_new()) {
        check_nesting(json);
        g_signal_connect(parser_.get(), "object-start", G_CALLBACK(object_start), this);
        g_signal_connect(parser_.get(), "object-member", G_CALLBACK(object_member), this);
        g_signal_connect(parser_.get(), "object-end", G_CALLBACK(object_end), this);
        GError *error = nullptr;
        if (!json_parser_load_from_data(parser_.get(), json.c_str(), json.size(), &error)) {
            const std::unique_ptr<GError, decltype(&g_error_free)> owned(error, g_error_free);
            std::string message = error->message;
            // "<data>:5:3: Parse error: ..."
            unsigned line = json_parser_get_current_line(parser_.get()), column = 0;
            int used = 0;
            if (std::sscanf(message.c_str(), "<data>:%u:%u: %n", &line, &column, &used) >= 2 && used > 0)
                message.erase(0, used);
            fail(line, "no JSON: " + message);
        }
        if (repeated_line_)
            fail(repeated_line_, "key '" + repeated_ + "' is there twice");
    }

    JsonNode *root() const { return json_parser_get_root(parser_.get()); }
    int line(JsonObject *object) const {
        const auto found = objects_.find(object);
        return found == objects_.end() ? 0 : found->second;
    }
    int line(JsonObject *object, const std::string &member) const {
        const auto found = members_.find({object, member});
        return found == members_.end() ? line(object) : found->second;
    }
    std::string at(int line) const {
        return line > 0 ? text("%s:%d: ", origin_.c_str(), line) : origin_ + ": ";
    }
    [[noreturn]] void fail(int line, const std::string &message) const {
        graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX, at(line) + message);
    }

  private:
    void check_nesting(const std::string &json) const {
        int depth = 0, line = 1;
        bool in_string = false;
        for (std::size_t i = 0; i < json.size(); i++) {
            const char c = json[i];
            line += c == '\n';
            if (in_string) {
                i += c == '\\';
                in_string = c != '"';
            } else if (c == '"') {
                in_string = true;
            } else if (c == '[' || c == '{') {
                if (++depth > max_nesting)
                    fail(line, text("nested deeper than %d levels", max_nesting));
            } else if (c == ']' || c == '}') {
                depth--;
            }
        }
    }

    int current_line() const { return json_parser_get_current_line(parser_.get()); }

    static void object_start(JsonParser *, Document *self) { self->open_.push_back(self->current_line()); }
    static void object_member(JsonParser *, JsonObject *object, const char *name, Document *self) {
        const bool is_new =
            self->members_.emplace(std::pair(object, std::string(name)), self->current_line()).second;
        if (!is_new && !self->repeated_line_) {
            self->repeated_line_ = self->current_line();
            self->repeated_ = name;
        }
    }
    static void object_end(JsonParser *, JsonObject *object, Document *self) {
        if (self->open_.empty())
            return;
        self->objects_[object] = self->open_.back();
        self->open_.pop_back();
    }

    std::string origin_;
    std::unique_ptr<JsonParser, ParserUnref> parser_;
    std::vector<int> open_;
    std::map<JsonObject *, int> objects_;
    std::map<std::pair<JsonObject *, std::string>, int> members_;
    std::string repeated_;
    int repeated_line_ = 0;
};

std::vector<std::string> members_of(JsonObject *object) {
    std::vector<std::string> names;
    const std::unique_ptr<GList, decltype(&g_list_free)> keys(json_object_get_members(object), g_list_free);
    for (GList *i = keys.get(); i; i = i->next)
        names.emplace_back(static_cast<const char *>(i->data));
    return names;
}

class Loader {
  public:
    Loader(const Document &document, Graph &graph) : doc_(document), graph_(graph) {}

    void load() {
        JsonNode *root = doc_.root();
        if (!root || !JSON_NODE_HOLDS_OBJECT(root))
            doc_.fail(1, "wanted an object with 'nodes' and 'edges'");
        JsonObject *object = json_node_get_object(root);
        allow(object, "the root", {"version", "nodes", "edges", "bindings", "index", "total"});
        check_partition(object);
        each(object, "nodes", true, [&](JsonObject *node) { add_node(node); });
        each(object, "edges", false, [&](JsonObject *edge) { add_edge(edge); });
        each(object, "bindings", false, [&](JsonObject *binding) { add_binding(binding); });
    }

  private:
    void allow(JsonObject *object, const std::string &what, const std::vector<std::string> &keys) const {
        for (const auto &name : members_of(object))
            if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
                if (name == "prop-sets")
                    doc_.fail(doc_.line(object, name),
                              "'prop-sets' are not supported: write the properties into the nodes");
                std::string list;
                for (const auto &key : keys)
                    list += (list.empty() ? "" : ", ") + key;
                const std::string hint = suggestion(name, keys);
                doc_.fail(doc_.line(object, name),
                          text("%s has an unknown key '%s'%s", what.c_str(), name.c_str(),
                               hint.empty() ? ("; known are " + list).c_str() : hint.c_str()));
            }
    }

    // UFO marks a part of a distributed run by these; only the whole can be run here.
    void check_partition(JsonObject *root) const {
        auto number = [&](const char *key, gint64 usual) {
            JsonNode *node = json_object_get_member(root, key);
            if (node && json_node_get_value_type(node) != G_TYPE_INT64)
                doc_.fail(doc_.line(root, key), text("'%s' is no integer", key));
            return node ? json_node_get_int(node) : usual;
        };
        if (number("index", 0) != 0 || number("total", 1) != 1)
            doc_.fail(doc_.line(root, "index"),
                      "'index' and 'total' make this a part of a distributed run, which is not supported");
    }

    template <class F>
    void each(JsonObject *root, const char *key, bool required, F f) {
        JsonNode *node = json_object_get_member(root, key);
        if (!node && required)
            doc_.fail(doc_.line(root), text("there are no '%s'", key));
        if (!node)
            return;
        if (!JSON_NODE_HOLDS_ARRAY(node))
            doc_.fail(doc_.line(root, key), text("'%s' is no array", key));
        JsonArray *array = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(array); i++) {
            JsonNode *item = json_array_get_element(array, i);
            if (!JSON_NODE_HOLDS_OBJECT(item))
                doc_.fail(doc_.line(root, key), text("entry %u of '%s' is no object", i, key));
            f(json_node_get_object(item));
        }
    }

    std::optional<std::string> string_of(JsonObject *object, const std::string &what, const char *key) const {
        JsonNode *node = json_object_get_member(object, key);
        if (!node)
            return {};
        if (json_node_get_value_type(node) != G_TYPE_STRING)
            doc_.fail(doc_.line(object, key), text("'%s' of %s is no text", key, what.c_str()));
        return std::string(json_node_get_string(node));
    }

    void add_node(JsonObject *object) {
        const std::string name = string_of(object, "a node", "name").value_or("");
        const std::string what = name.empty() ? "a node" : "node '" + name + "'";
        allow(object, what, {"plugin", "name", "package", "properties"});
        const auto plugin = string_of(object, what, "plugin");
        if (!plugin)
            doc_.fail(doc_.line(object), what + " has no 'plugin'");
        const std::string package = string_of(object, what, "package").value_or("");
        GstElement *element = nullptr;
        at(doc_.line(object, "plugin"), what, [&] { element = graph_.add(*plugin, name, package); });
        JsonNode *properties = json_object_get_member(object, "properties");
        if (!properties)
            return;
        if (!JSON_NODE_HOLDS_OBJECT(properties))
            doc_.fail(doc_.line(object, "properties"), "'properties' of " + what + " is no object");
        JsonObject *values = json_node_get_object(properties);
        for (const auto &key : members_of(values))
            at(doc_.line(values, key), text("node '%s'", GST_OBJECT_NAME(element)),
               [&] { set_from_json(element, key, json_object_get_member(values, key.c_str())); });
    }

    struct End {
        std::string name, pad;
        std::optional<unsigned> number;
    };

    // "name" or {"name": ..., "input": ...}.
    End end_of(JsonObject *edge, const char *key, const char *pad) {
        JsonNode *node = json_object_get_member(edge, key);
        if (!node)
            doc_.fail(doc_.line(edge), text("an edge has no '%s'", key));
        End end;
        if (json_node_get_value_type(node) == G_TYPE_STRING) {
            end.name = json_node_get_string(node);
        } else if (JSON_NODE_HOLDS_OBJECT(node)) {
            JsonObject *object = json_node_get_object(node);
            const std::string what = text("'%s' of an edge", key);
            allow(object, what, {"name", pad});
            const auto name = string_of(object, what, "name");
            if (!name)
                doc_.fail(doc_.line(object), what + " has no 'name'");
            end.name = *name;
            read_pad(end, object, pad);
        } else {
            doc_.fail(doc_.line(edge, key),
                      text("'%s' of an edge is neither the name of a node nor an object", key));
        }
        return end;
    }

    void read_pad(End &end, JsonObject *object, const char *key) {
        JsonNode *node = json_object_get_member(object, key);
        if (!node)
            return;
        const int line = doc_.line(object, key);
        const std::string what = text("'%s' of the edge at node '%s'", key, end.name.c_str());
        End given;
        if (json_node_get_value_type(node) == G_TYPE_STRING)
            given.pad = json_node_get_string(node);
        else if (json_node_get_value_type(node) == G_TYPE_INT64 && json_node_get_int(node) >= 0 &&
                 json_node_get_int(node) <= 1000000)
            given.number = json_node_get_int(node);
        else
            doc_.fail(line, what + " is neither a number from 0 on nor the name of a pad");
        if ((end.number || !end.pad.empty()) && (end.number != given.number || end.pad != given.pad))
            doc_.fail(line, what + " is given twice, and differently");
        end.number = given.number;
        end.pad = given.pad;
    }

    void add_edge(JsonObject *edge) {
        allow(edge, "an edge", {"from", "to", "input", "output"});
        End from = end_of(edge, "from", "output"), to = end_of(edge, "to", "input");
        read_pad(from, edge, "output");
        read_pad(to, edge, "input");
        const std::string what = "edge from '" + from.name + "' to '" + to.name + "'";
        std::size_t source = 0, sink = 0;
        at(doc_.line(edge, "from"), what, [&] { source = graph_.require(from.name); });
        at(doc_.line(edge, "to"), what, [&] { sink = graph_.require(to.name); });
        if (from.number.value_or(0) != 0)
            doc_.fail(doc_.line(edge, "from"),
                      what + ": outputs have names; only the first one may be given as 0");
        at(doc_.line(edge, "to"), what, [&] {
            const std::string input =
                to.pad.empty() ? input_pad(graph_.nodes()[sink].element.get(), to.number.value_or(0))
                               : to.pad;
            graph_.connect(source, sink, from.pad, input);
        });
    }

    // {"name": ..., "property": ...}
    std::pair<std::string, std::string> property_end(JsonObject *binding, const char *key) const {
        JsonNode *node = json_object_get_member(binding, key);
        if (!node || !JSON_NODE_HOLDS_OBJECT(node))
            doc_.fail(doc_.line(binding, key),
                      text("'%s' of a binding is no object of 'name' and 'property'", key));
        JsonObject *object = json_node_get_object(node);
        const std::string what = text("'%s' of a binding", key);
        allow(object, what, {"name", "property"});
        const auto name = string_of(object, what, "name"), property = string_of(object, what, "property");
        if (!name || !property)
            doc_.fail(doc_.line(object), what + text(" has no '%s'", name ? "property" : "name"));
        return {*name, *property};
    }

    void add_binding(JsonObject *binding) {
        allow(binding, "a binding", {"from", "to"});
        const auto [source, result] = property_end(binding, "from");
        const auto [target, property] = property_end(binding, "to");
        const std::string what = "binding from '" + source + "' to '" + target + "'";
        std::size_t from = 0, to = 0;
        at(doc_.line(binding, "from"), what, [&, name = source] { from = graph_.require(name); });
        at(doc_.line(binding, "to"), what, [&, name = target] { to = graph_.require(name); });
        at(doc_.line(binding), what, [&, r = result, p = property] { graph_.bind(from, r, to, p); });
    }

    // Says where something went wrong.
    template <class F>
    void at(int line, const std::string &what, F f) const {
        try {
            f();
        } catch (const Error &e) {
            throw Error(e.domain, e.code, doc_.at(line) + what + ": " + e.what(), e.debug);
        }
    }

    const Document &doc_;
    Graph &graph_;
};

} // namespace

std::unique_ptr<Graph> Graph::from_json(const std::string &json, const std::string &origin) {
    const bool has_mark = json.compare(0, 3, "\xef\xbb\xbf") == 0;
    const Document document(has_mark ? json.substr(3) : json, origin);
    auto graph = std::make_unique<Graph>();
    Loader(document, *graph).load();
    return graph;
}

std::unique_ptr<Graph> Graph::from_file(const std::string &file) {
    GError *error = nullptr;
    gchar *contents = nullptr;
    gsize length = 0;
    if (!g_file_get_contents(file.c_str(), &contents, &length, &error)) {
        const std::unique_ptr<GError, decltype(&g_error_free)> owned(error, g_error_free);
        throw Error(error->domain, error->code, error->message);
    }
    const CString owned(contents);
    return from_json(std::string(contents, length), file);
}

void set_properties(GstElement *element, const std::string &json) {
    const Document document(json, "JSON");
    if (!document.root() || !JSON_NODE_HOLDS_OBJECT(document.root()))
        document.fail(1, "wanted an object of properties and values");
    JsonObject *values = json_node_get_object(document.root());
    for (const auto &key : members_of(values))
        set_from_json(element, key, json_object_get_member(values, key.c_str()));
}

void Graph::write_bindings(JsonBuilder *b) const {
    json_builder_set_member_name(b, "bindings");
    json_builder_begin_array(b);
    for (const auto &binding : bindings_) {
        auto end = [&](const char *key, std::size_t node, const std::string &property) {
            json_builder_set_member_name(b, key);
            json_builder_begin_object(b);
            json_builder_set_member_name(b, "name");
            json_builder_add_string_value(b, nodes_[node].name.c_str());
            json_builder_set_member_name(b, "property");
            json_builder_add_string_value(b, property.c_str());
            json_builder_end_object(b);
        };
        json_builder_begin_object(b);
        end("from", binding.from, binding.result);
        end("to", binding.to, binding.property);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

std::string Graph::to_json() const {
    if (has_delayed_links_)
        graph_error(
            GST_TOMO_GRAPH_ERROR_STRUCTURE,
            "some outputs come into being when the stream is known, so the edges can't be written as JSON");
    const std::unique_ptr<JsonBuilder, decltype(&g_object_unref)> builder(json_builder_new(), g_object_unref);
    JsonBuilder *b = builder.get();
    auto member = [&](const char *key, const std::string &value) {
        json_builder_set_member_name(b, key);
        json_builder_add_string_value(b, value.c_str());
    };
    json_builder_begin_object(b);
    member("version", "2.0"); // of UFO's schema
    json_builder_set_member_name(b, "nodes");
    json_builder_begin_array(b);
    for (const auto &node : nodes_) {
        GstElementFactory *factory = gst_element_get_factory(node.element.get());
        if (!factory || (GST_IS_BIN(node.element.get()) && plugin_name(factory) == "bin"))
            graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                        text("node '%s' was made by the application and can't be written as JSON",
                             node.name.c_str()));
        json_builder_begin_object(b);
        member("plugin", plugin_name(factory));
        member("name", node.name);
        const bool is_helped = std::any_of(sinks_.begin(), sinks_.end(),
                                           [&](const auto &s) { return s.get() == node.element.get(); });
        auto properties = properties_to_json(node.element.get());
        JsonObject *object = json_node_get_object(properties.get());
        if (is_helped)
            json_object_remove_member(object, "async");
        if (json_object_get_size(object) > 0) {
            json_builder_set_member_name(b, "properties");
            json_builder_add_value(b, properties.release());
        }
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_set_member_name(b, "edges");
    json_builder_begin_array(b);
    for (const auto &edge : edges_) {
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "from");
        json_builder_begin_object(b);
        member("name", nodes_[edge.from].name);
        if (!edge.output.empty())
            member("output", edge.output);
        json_builder_end_object(b);
        json_builder_set_member_name(b, "to");
        json_builder_begin_object(b);
        member("name", nodes_[edge.to].name);
        const auto number = input_number(nodes_[edge.to].element.get(), edge.input);
        json_builder_set_member_name(b, "input");
        if (number || edge.input.empty())
            json_builder_add_int_value(b, number.value_or(0));
        else
            json_builder_add_string_value(b, edge.input.c_str());
        json_builder_end_object(b);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    if (!bindings_.empty())
        write_bindings(b);
    json_builder_end_object(b);
    const JsonRef root(json_builder_get_root(b));
    const CString written(json_to_string(root.get(), TRUE));
    return std::string(written.get()) + "\n";
}

} // namespace tomo
