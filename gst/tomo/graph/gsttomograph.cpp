// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/c-interface.hpp>
#include <gst/tomo/graph/graph-object.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/support/text-file.hpp>

/**
 * SECTION:gsttomograph
 * @title: GstTomoGraph
 * @short_description: dataflow from code, JSON or a launch line
 *
 * A graph has nodes, which are GStreamer elements, and edges between them. Names of UFO's tasks stand for the
 * elements of gst-tomo ("read" for tomoread), all other elements have their own names. An output may have
 * several consumers and a node several inputs; the graph puts tees and queues where they are needed, so that
 * no dataflow blocks itself.
 */

GQuark gst_tomo_graph_error_quark(void) { return g_quark_from_static_string("gst-tomo-graph-error-quark"); }

/**
 * GstTomoGraph:
 *
 * A dataflow and its runs.
 *
 * Signals come in the main context that was the thread's default when the run was started, or in
 * gst_tomo_graph_wait() and gst_tomo_graph_poll(); never in a thread of their own.
 */
G_DEFINE_TYPE(GstTomoGraph, gst_tomo_graph, G_TYPE_OBJECT)

enum { PROP_0, PROP_MAX_MEMORY, PROP_DEVICES, PROP_CONTINUE_ON_FAILURE, PROP_TIME };

static tomo::Graph &graph_of(GstTomoGraph *self) { return *self->state->graph; }

void tomo::GraphState::must_not_run() const {
    if (runner.is_running())
        graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "the graph can't be changed while it runs");
}

static void gst_tomo_graph_init(GstTomoGraph *self) {
    self->state = tomo::or_end_process(G_STRFUNC, [&] { return new tomo::GraphState(self); });
}

static void gst_tomo_graph_finalize(GObject *object) {
    delete GST_TOMO_GRAPH(object)->state;
    G_OBJECT_CLASS(gst_tomo_graph_parent_class)->finalize(object);
}

static void gst_tomo_graph_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
    tomo::to_critical(G_STRFUNC, [&] {
        auto *state = GST_TOMO_GRAPH(object)->state;
        switch (id) {
        case PROP_MAX_MEMORY:
            g_value_set_uint64(value, state->graph->max_memory());
            break;
        case PROP_DEVICES:
            g_value_set_string(value, state->graph->devices().c_str());
            break;
        case PROP_CONTINUE_ON_FAILURE:
            g_value_set_boolean(value, state->graph->goes_on());
            break;
        case PROP_TIME:
            g_value_set_double(value, state->runner.seconds());
            break;
        default:
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        }
    });
}

static void gst_tomo_graph_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
    tomo::to_critical(G_STRFUNC, [&] {
        auto *state = GST_TOMO_GRAPH(object)->state;
        if (id != PROP_MAX_MEMORY && id != PROP_DEVICES && id != PROP_CONTINUE_ON_FAILURE)
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        else if (state->runner.is_running())
            g_warning("%s of a graph can't be changed while it runs", spec->name);
        else if (id == PROP_DEVICES)
            state->graph->set_devices(g_value_get_string(value) ? g_value_get_string(value) : "");
        else if (id == PROP_CONTINUE_ON_FAILURE)
            state->graph->set_goes_on(g_value_get_boolean(value));
        else
            state->graph->set_max_memory(g_value_get_uint64(value));
    });
}

static void gst_tomo_graph_class_init(GstTomoGraphClass *klass) {
    tomo::need_gstreamer();
    auto *object_class = G_OBJECT_CLASS(klass);
    object_class->finalize = gst_tomo_graph_finalize;
    object_class->get_property = gst_tomo_graph_get_property;
    object_class->set_property = gst_tomo_graph_set_property;

    /**
     * GstTomoGraph:max-memory:
     *
     * Bytes that queues may hold where one input of a node has to wait for another one, for instance because
     * that needs the whole stream first. What needs more is an error. 0 means half of the computer's memory.
     */
    g_object_class_install_property(
        object_class, PROP_MAX_MEMORY,
        g_param_spec_uint64(
            "max-memory", "max-memory",
            "Bytes that queues may hold where one input of a node waits for another one; 0: half "
            "of the computer's memory",
            0, G_MAXUINT64, 0, static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
    /**
     * GstTomoGraph:devices:
     *
     * OpenCL devices on which a run computes, with commas between: `all`, `gpu`, `cpu`, indices, and parts of
     * names, which mean all devices that have them. On several devices, each row of nodes that compute every
     * array by itself runs in copies, as #tomodistribute runs them: the same results come in the same order.
     * The nodes stay those of the graph, and their properties count for all copies. Other nodes run on one
     * device each. Empty: environment variable `GST_TOMO_DEVICES`, else one device for each node.
     *
     * A run ends in an error if a part of the list means no device, or a device is named twice.
     */
    g_object_class_install_property(
        object_class, PROP_DEVICES,
        g_param_spec_string(
            "devices", "devices",
            "OpenCL devices on which nodes run in copies, with commas between: all, gpu, cpu, "
            "indices, and parts of names; empty: GST_TOMO_DEVICES, else one for each node",
            "", static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
    /**
     * GstTomoGraph:continue-on-failure:
     *
     * Whether a run on several devices goes on where one of them fails: a warning tells of it, and the others
     * do its arrays again. Otherwise that ends the run with an error, as it does when no device is left.
     */
    g_object_class_install_property(
        object_class, PROP_CONTINUE_ON_FAILURE,
        g_param_spec_boolean(
            "continue-on-failure", "continue-on-failure",
            "Whether other devices do again what one that fails had, with a warning, instead of an error",
            FALSE, static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)));
    /**
     * GstTomoGraph:time:
     *
     * Seconds that the last run took.
     */
    g_object_class_install_property(
        object_class, PROP_TIME,
        g_param_spec_double("time", "time", "Seconds that the last run took", 0, G_MAXDOUBLE, 0,
                            static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));

    const GType type = G_TYPE_FROM_CLASS(klass);
    /**
     * GstTomoGraph::progress:
     * @graph: the graph
     * @position: arrays that the sources have given
     * @duration: arrays that they will give in total, 0 if that is not known
     * @output: arrays that have arrived at the sinks
     *
     * How far a run is, at most ten times per second and when it has changed.
     */
    tomo::graph_signal[tomo::progress_signal] =
        g_signal_new("progress", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 3,
                     G_TYPE_UINT64, G_TYPE_UINT64, G_TYPE_UINT64);
    /**
     * GstTomoGraph::message:
     * @graph: the graph
     * @message: a message
     *
     * Any message of the pipeline's bus, such as a warning.
     */
    tomo::graph_signal[tomo::message_signal] = g_signal_new(
        "message", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 1, GST_TYPE_MESSAGE);
    /**
     * GstTomoGraph::error:
     * @graph: the graph
     * @error: why it has ended
     *
     * A run has ended too early; gst_tomo_graph_abort() is such a reason.
     */
    tomo::graph_signal[tomo::error_signal] = g_signal_new("error", type, G_SIGNAL_RUN_LAST, 0, nullptr,
                                                          nullptr, nullptr, G_TYPE_NONE, 1, G_TYPE_ERROR);
    /**
     * GstTomoGraph::done:
     * @graph: the graph
     *
     * A run has come to its end.
     */
    tomo::graph_signal[tomo::done_signal] =
        g_signal_new("done", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 0);
}

static GstTomoGraph *new_graph(std::unique_ptr<tomo::Graph> graph) {
    auto *self = GST_TOMO_GRAPH(g_object_new(GST_TYPE_TOMO_GRAPH, nullptr));
    self->state->take(std::move(graph));
    return self;
}

/**
 * gst_tomo_graph_new:
 *
 * Returns: (transfer full): a graph without nodes
 */
GstTomoGraph *gst_tomo_graph_new(void) { return GST_TOMO_GRAPH(g_object_new(GST_TYPE_TOMO_GRAPH, nullptr)); }

/**
 * gst_tomo_graph_new_from_json:
 * @json: UFO's JSON: nodes with plugin, name and properties, edges with from, to and input
 * @error: what is wrong with it, with the line
 *
 * Returns: (transfer full) (nullable): a new graph, %NULL on error
 */
GstTomoGraph *gst_tomo_graph_new_from_json(const gchar *json, GError **error) {
    g_return_val_if_fail(json, nullptr);
    tomo::need_gstreamer();
    return tomo::to_gerror(error, [&] { return new_graph(tomo::Graph::from_json(json, "JSON")); });
}

/**
 * gst_tomo_graph_new_from_file:
 * @file: (type filename): name of a JSON file
 * @error: what is wrong with it, with the line
 *
 * Returns: (transfer full) (nullable): a new graph, %NULL on error
 */
GstTomoGraph *gst_tomo_graph_new_from_file(const gchar *file, GError **error) {
    g_return_val_if_fail(file, nullptr);
    tomo::need_gstreamer();
    return tomo::to_gerror(error, [&] { return new_graph(tomo::Graph::from_file(file)); });
}

/**
 * gst_tomo_graph_new_from_line:
 * @line: a launch line, such as "read path=a.tif ! rescale factor=0.5 ! write filename=b.tif"
 * @error: what is wrong with it
 *
 * A dataflow in the grammar of ufo-launch, with [a, b] ! c for tasks of several inputs, and of
 * gst-launch-1.0.
 *
 * Returns: (transfer full) (nullable): a new graph, %NULL on error
 */
GstTomoGraph *gst_tomo_graph_new_from_line(const gchar *line, GError **error) {
    g_return_val_if_fail(line, nullptr);
    tomo::need_gstreamer();
    return tomo::to_gerror(error, [&] { return new_graph(tomo::Graph::from_line(line)); });
}

/**
 * gst_tomo_graph_new_from_words:
 * @words: (array zero-terminated=1): a launch line as the arguments of a program
 * @error: what is wrong with it
 *
 * As gst_tomo_graph_new_from_line(), but blanks inside of words belong to them. A single word is a line.
 *
 * Returns: (transfer full) (nullable): a new graph, %NULL on error
 */
GstTomoGraph *gst_tomo_graph_new_from_words(const gchar *const *words, GError **error) {
    g_return_val_if_fail(words, nullptr);
    tomo::need_gstreamer();
    return tomo::to_gerror(error, [&] {
        std::vector<std::string> list;
        for (const auto *word = words; *word; word++)
            list.emplace_back(*word);
        return new_graph(tomo::Graph::from_words(std::move(list)));
    });
}

/**
 * gst_tomo_graph_new_from_pipeline:
 * @pipeline: a pipeline in state NULL
 * @error: why it can't be taken over
 *
 * Takes over a pipeline, for instance from gst_parse_launch(). Outputs with several consumers get the queues
 * that they lack.
 *
 * Returns: (transfer full) (nullable): a new graph, %NULL on error
 */
GstTomoGraph *gst_tomo_graph_new_from_pipeline(GstElement *pipeline, GError **error) {
    g_return_val_if_fail(GST_IS_ELEMENT(pipeline), nullptr);
    return tomo::to_gerror(error, [&] { return new_graph(tomo::Graph::from_pipeline(pipeline)); });
}

/**
 * gst_tomo_graph_add_node:
 * @graph: a graph
 * @plugin: name of a task ("flat-field-correct") or element
 * @name: (nullable): name of the node; %NULL for that of the plugin, with a number if there is one already
 * @error: why there is none
 *
 * Returns: (transfer none) (nullable): the new node's element, on which properties are set
 */
GstElement *gst_tomo_graph_add_node(GstTomoGraph *graph, const gchar *plugin, const gchar *name,
                                    GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph) && plugin, nullptr);
    return tomo::to_gerror(error, [&] {
        graph->state->must_not_run();
        return graph_of(graph).add(plugin, name ? name : "");
    });
}

/**
 * gst_tomo_graph_add_element:
 * @graph: a graph
 * @element: an element without a parent
 * @error: why it can't be added
 *
 * Adds a node under the element's own name. Adding the same element again changes nothing.
 *
 * Returns: whether it is in the graph
 */
gboolean gst_tomo_graph_add_element(GstTomoGraph *graph, GstElement *element, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph) && GST_IS_ELEMENT(element), FALSE);
    return tomo::to_gerror(error, [&] {
        graph->state->must_not_run();
        if (!graph_of(graph).find(element))
            graph_of(graph).add(element);
        return TRUE;
    });
}

/**
 * gst_tomo_graph_connect_nodes:
 * @graph: a graph
 * @from: name of the node that gives
 * @to: name of the node that takes
 * @input: which of its inputs, from 0 on
 * @error: why they can't be connected
 *
 * Connects the first output of one node to an input of another one.
 *
 * Returns: whether they are connected
 */
gboolean gst_tomo_graph_connect_nodes(GstTomoGraph *graph, const gchar *from, const gchar *to, guint input,
                                      GError **error) {
    return gst_tomo_graph_connect_output(graph, from, nullptr, to, input, error);
}

/**
 * gst_tomo_graph_connect_output:
 * @graph: a graph
 * @from: name of the node that gives
 * @output: (nullable): name of one of its outputs, such as "darks"; %NULL for the first one
 * @to: name of the node that takes
 * @input: which of its inputs, from 0 on
 * @error: why they can't be connected
 *
 * As gst_tomo_graph_connect_nodes(), for nodes with several outputs.
 *
 * Returns: whether they are connected
 */
gboolean gst_tomo_graph_connect_output(GstTomoGraph *graph, const gchar *from, const gchar *output,
                                       const gchar *to, guint input, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph) && from && to, FALSE);
    return tomo::to_gerror(error, [&] {
        graph->state->must_not_run();
        auto &g = graph_of(graph);
        g.connect(g.require(from), g.require(to), input, output ? output : "");
        return TRUE;
    });
}

/**
 * gst_tomo_graph_connect_elements:
 * @graph: a graph
 * @from: the element that gives
 * @to: the element that takes
 * @input: which of its inputs, from 0 on
 * @error: why they can't be connected
 *
 * Connects two elements, which become nodes of the graph if they are not.
 *
 * Returns: whether they are connected
 */
gboolean gst_tomo_graph_connect_elements(GstTomoGraph *graph, GstElement *from, GstElement *to, guint input,
                                         GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph) && GST_IS_ELEMENT(from) && GST_IS_ELEMENT(to), FALSE);
    return tomo::to_gerror(error, [&] {
        graph->state->must_not_run();
        auto &g = graph_of(graph);
        for (auto *element : {from, to})
            if (!g.find(element))
                g.add(element);
        g.connect(*g.find(from), *g.find(to), input);
        return TRUE;
    });
}

/**
 * gst_tomo_graph_bind:
 * @graph: a graph
 * @from: name of the node that finds something out while it runs
 * @result: its property that tells what
 * @to: name of the node that uses it
 * @property: its property that is set
 * @error: why they can't be bound
 *
 * Binds a property to a result of another node, which tells of each value by notify. Where @to gets its
 * arrays from @from, by whatever way, a value takes effect with the first array that @from gives after having
 * told it: what was measured on an array is used for that array and those behind it. Otherwise the arrays for
 * @to wait until
 * @from has told its first value, and later ones take effect with the next array that @to takes. It is an
 * error of the run if @from ends without a value that is waited for. Where @from gets its arrays from @to,
 * nothing waits.
 *
 * Returns: whether they are bound
 */
gboolean gst_tomo_graph_bind(GstTomoGraph *graph, const gchar *from, const gchar *result, const gchar *to,
                             const gchar *property, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph) && from && result && to && property, FALSE);
    return tomo::to_gerror(error, [&] {
        graph->state->must_not_run();
        auto &g = graph_of(graph);
        g.bind(g.require(from), result, g.require(to), property);
        return TRUE;
    });
}

/**
 * gst_tomo_graph_list_nodes:
 * @graph: a graph
 *
 * Returns: (transfer full) (array zero-terminated=1): names of the nodes in the order in which they were
 * added
 */
gchar **gst_tomo_graph_list_nodes(GstTomoGraph *graph) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), nullptr);
    return tomo::to_critical(G_STRFUNC, [&] {
        std::vector<std::string> names;
        for (const auto &node : graph_of(graph).nodes())
            names.push_back(node.name);
        return tomo::string_array(names);
    });
}

/**
 * gst_tomo_graph_get_node:
 * @graph: a graph
 * @name: name of a node
 *
 * Returns: (transfer none) (nullable): its element, %NULL if there is no such node
 */
GstElement *gst_tomo_graph_get_node(GstTomoGraph *graph, const gchar *name) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph) && name, nullptr);
    return tomo::to_critical(G_STRFUNC, [&]() -> GstElement * {
        for (const auto &node : graph_of(graph).nodes())
            if (node.name == name)
                return node.element.get();
        return nullptr;
    });
}

/**
 * gst_tomo_graph_get_pipeline:
 * @graph: a graph
 * @error: why nodes and edges make no pipeline
 *
 * The graph as a pipeline, for applications that run it themselves. A change of nodes or edges makes it
 * useless.
 *
 * Returns: (transfer full) (nullable): the pipeline, %NULL on error
 */
GstElement *gst_tomo_graph_get_pipeline(GstTomoGraph *graph, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), nullptr);
    return tomo::to_gerror(error, [&] { return GST_ELEMENT(gst_object_ref(graph_of(graph).pipeline())); });
}

/**
 * gst_tomo_graph_to_json:
 * @graph: a graph
 * @error: what can't be written as JSON
 *
 * Returns: (transfer full) (nullable): the graph in UFO's JSON, with all properties that differ from their
 *   defaults; %NULL on error
 */
gchar *gst_tomo_graph_to_json(GstTomoGraph *graph, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), nullptr);
    return tomo::to_gerror(error, [&] { return g_strdup(graph_of(graph).to_json().c_str()); });
}

/**
 * gst_tomo_graph_write_json:
 * @graph: a graph
 * @file: (type filename): name of the file
 * @error: why it was not written
 *
 * Writes gst_tomo_graph_to_json() into a file, which is there as a whole or not at all.
 *
 * Returns: whether it is written
 */
gboolean gst_tomo_graph_write_json(GstTomoGraph *graph, const gchar *file, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph) && file, FALSE);
    return tomo::to_gerror(error, [&] {
        tomo::replace_text_file(file, graph_of(graph).to_json());
        return TRUE;
    });
}

/**
 * gst_tomo_describe_pipeline:
 * @pipeline: a pipeline, in whatever state; it stays as it is
 * @error: why it can't be described
 *
 * Writes a pipeline down so that gst_tomo_graph_new_from_json() makes the same again.
 *
 * Returns: (transfer full) (nullable): nodes, edges and the properties that are not as they are by default,
 * as JSON; %NULL on error
 */
gchar *gst_tomo_describe_pipeline(GstElement *pipeline, GError **error) {
    g_return_val_if_fail(GST_IS_ELEMENT(pipeline), nullptr);
    return tomo::to_gerror(error, [&] { return g_strdup(tomo::Graph::describe(pipeline).c_str()); });
}
