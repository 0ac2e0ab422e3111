// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/run.hpp>
#include <gst/tomo/graph/graph.hpp>
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

namespace {

enum { PROP_0, PROP_MAX_MEMORY, PROP_TIME };
enum { SIGNAL_PROGRESS, SIGNAL_MESSAGE, SIGNAL_ERROR, SIGNAL_DONE, N_SIGNALS };
guint signals[N_SIGNALS];

struct MainContextUnref {
    void operator()(GMainContext *context) const { g_main_context_unref(context); }
};
struct SourceUnref {
    void operator()(GSource *source) const { g_source_unref(source); }
};
struct GraphUnref {
    void operator()(GstTomoGraph *graph) const { g_object_unref(graph); }
};
using GraphPtr = std::unique_ptr<GstTomoGraph, GraphUnref>;

} // namespace

/**
 * GstTomoGraph:
 *
 * A dataflow and its runs.
 *
 * Signals come in the main context that was the thread's default when the run was started, or in
 * gst_tomo_graph_wait() and gst_tomo_graph_poll(); never in a thread of their own.
 */
struct _GstTomoGraph {
    GObject parent;
    struct State *state;
};

struct State {
    explicit State(GstTomoGraph *graph)
        : runner([graph, this] { announce(graph); }, [graph, this] { let_go(GraphPtr(graph)); }) {}
    ~State() { cancel_visit(); }

    // One visit of the main loop gives out all that is there. It finds the graph only if somebody still has
    // it: a graph that nobody wants any more must not wait for a main loop that may never run.
    void announce(GstTomoGraph *graph) {
        std::lock_guard<std::mutex> lock(dispatch_lock);
        if (visit)
            return;
        GSource *source = g_idle_source_new();
        g_source_set_priority(source, G_PRIORITY_DEFAULT);
        auto place = std::make_unique<GWeakRef>();
        g_weak_ref_init(place.get(), graph);
        g_source_set_callback(
            source,
            [](gpointer place) -> gboolean {
                if (const GraphPtr graph{
                        static_cast<GstTomoGraph *>(g_weak_ref_get(static_cast<GWeakRef *>(place)))})
                    graph->state->dispatch(graph.get());
                return G_SOURCE_REMOVE;
            },
            place.release(),
            [](gpointer place) {
                const std::unique_ptr<GWeakRef> ended(static_cast<GWeakRef *>(place));
                g_weak_ref_clear(ended.get());
            });
        g_source_attach(source, context.get());
        visit.reset(source);
    }

    // Takes the reference of a run that has ended: who listens is still told of the end.
    void let_go(GraphPtr graph) {
        std::lock_guard<std::mutex> lock(dispatch_lock);
        if (!visit)
            return;
        for (const guint signal : signals)
            if (g_signal_has_handler_pending(graph.get(), signal, 0, FALSE)) {
                kept_for_visit = std::move(graph);
                return;
            }
    }

    // Gives out what is there, in order; one thread at a time.
    void dispatch(GstTomoGraph *borrowed) {
        const GraphPtr graph(GST_TOMO_GRAPH(g_object_ref(borrowed)));
        cancel_visit();
        {
            std::lock_guard<std::mutex> lock(dispatch_lock);
            once_more = true;
            if (dispatcher != std::thread::id())
                return;
            dispatcher = std::this_thread::get_id();
        }
        while (has_more_to_do())
            while (auto event = runner.take())
                std::visit([&](const auto &e) { emit(graph.get(), e); }, *event);
        dispatched.notify_all();
    }

    bool has_more_to_do() {
        std::lock_guard<std::mutex> lock(dispatch_lock);
        if (!once_more)
            dispatcher = {};
        return std::exchange(once_more, false);
    }

    void cancel_visit() {
        std::unique_lock<std::mutex> lock(dispatch_lock);
        const auto graph = std::move(kept_for_visit);
        const auto source = std::move(visit);
        lock.unlock();
        if (source)
            g_source_destroy(source.get());
    }

    // After the end: leaves nothing to a main loop that may never run.
    void tidy_up() {
        runner.settle();
        cancel_visit();
    }

    void emit(GstTomoGraph *graph, const tomo::Progress &p) {
        g_signal_emit(graph, signals[SIGNAL_PROGRESS], 0, p.position, p.duration, p.output);
    }
    void emit(GstTomoGraph *graph, const tomo::MessageRef &message) {
        g_signal_emit(graph, signals[SIGNAL_MESSAGE], 0, message.get());
    }
    void emit(GstTomoGraph *graph, const tomo::Error &e) {
        const std::unique_ptr<GError, decltype(&g_error_free)> error(
            g_error_new_literal(e.domain, e.code, e.what()), g_error_free);
        g_signal_emit(graph, signals[SIGNAL_ERROR], 0, error.get());
    }
    void emit(GstTomoGraph *graph, const tomo::Done &) { g_signal_emit(graph, signals[SIGNAL_DONE], 0); }

    // Until nobody else is giving events out.
    void wait_for_dispatcher() {
        std::unique_lock<std::mutex> lock(dispatch_lock);
        if (dispatcher == std::this_thread::get_id())
            tomo::graph_error(GST_TOMO_GRAPH_ERROR_BUSY,
                              "a handler of a signal can't wait for the end of the run");
        dispatched.wait(lock, [this] { return dispatcher == std::thread::id(); });
    }

    void must_not_run() const {
        if (runner.is_running())
            tomo::graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "the graph can't be changed while it runs");
    }

    std::unique_ptr<tomo::Graph> graph = std::make_unique<tomo::Graph>();
    std::unique_ptr<GMainContext, MainContextUnref> context;
    std::unique_ptr<GSource, SourceUnref> visit; // of the main loop, to come
    std::mutex dispatch_lock;
    std::condition_variable dispatched;
    std::thread::id dispatcher;
    bool once_more = false; // for the dispatcher to look again
    GraphPtr kept_for_visit;
    tomo::Runner runner;
};

G_DEFINE_TYPE(GstTomoGraph, gst_tomo_graph, G_TYPE_OBJECT)

static tomo::Graph &graph_of(GstTomoGraph *self) { return *self->state->graph; }

static void need_gstreamer() {
    if (!gst_is_initialized())
        gst_init(nullptr, nullptr);
}

static void gst_tomo_graph_init(GstTomoGraph *self) { self->state = new State(self); }

static void gst_tomo_graph_finalize(GObject *object) {
    delete GST_TOMO_GRAPH(object)->state;
    G_OBJECT_CLASS(gst_tomo_graph_parent_class)->finalize(object);
}

static void gst_tomo_graph_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
    auto *state = GST_TOMO_GRAPH(object)->state;
    switch (id) {
    case PROP_MAX_MEMORY:
        g_value_set_uint64(value, state->graph->max_memory());
        break;
    case PROP_TIME:
        g_value_set_double(value, state->runner.seconds());
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void gst_tomo_graph_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
    auto *state = GST_TOMO_GRAPH(object)->state;
    if (id != PROP_MAX_MEMORY)
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    else if (state->runner.is_running())
        g_warning("max-memory of a graph can't be changed while it runs");
    else
        state->graph->set_max_memory(g_value_get_uint64(value));
}

static void gst_tomo_graph_class_init(GstTomoGraphClass *klass) {
    need_gstreamer();
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
    signals[SIGNAL_PROGRESS] = g_signal_new("progress", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
                                            G_TYPE_NONE, 3, G_TYPE_UINT64, G_TYPE_UINT64, G_TYPE_UINT64);
    /**
     * GstTomoGraph::message:
     * @graph: the graph
     * @message: a message
     *
     * Any message of the pipeline's bus, such as a warning.
     */
    signals[SIGNAL_MESSAGE] = g_signal_new("message", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
                                           G_TYPE_NONE, 1, GST_TYPE_MESSAGE);
    /**
     * GstTomoGraph::error:
     * @graph: the graph
     * @error: why it has ended
     *
     * A run has ended too early; gst_tomo_graph_abort() is such a reason.
     */
    signals[SIGNAL_ERROR] = g_signal_new("error", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr,
                                         G_TYPE_NONE, 1, G_TYPE_ERROR);
    /**
     * GstTomoGraph::done:
     * @graph: the graph
     *
     * A run has come to its end.
     */
    signals[SIGNAL_DONE] =
        g_signal_new("done", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_NONE, 0);
}

static GstTomoGraph *new_graph(std::unique_ptr<tomo::Graph> graph) {
    auto *self = GST_TOMO_GRAPH(g_object_new(GST_TYPE_TOMO_GRAPH, nullptr));
    self->state->graph = std::move(graph);
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
    need_gstreamer();
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
    need_gstreamer();
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
    need_gstreamer();
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
    need_gstreamer();
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

static gchar **string_array(const std::vector<std::string> &strings) {
    auto **array = g_new0(gchar *, strings.size() + 1);
    for (std::size_t i = 0; i < strings.size(); i++)
        array[i] = g_strdup(strings[i].c_str());
    return array;
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
    std::vector<std::string> names;
    for (const auto &node : graph_of(graph).nodes())
        names.push_back(node.name);
    return string_array(names);
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
    for (const auto &node : graph_of(graph).nodes())
        if (node.name == name)
            return node.element.get();
    return nullptr;
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
 * gst_tomo_graph_run:
 * @graph: a graph
 * @error: why it did not get to its end
 *
 * Runs the graph; returns when it has ended. The same as gst_tomo_graph_start() and gst_tomo_graph_wait().
 *
 * Returns: whether it has come to its end
 */
gboolean gst_tomo_graph_run(GstTomoGraph *graph, GError **error) {
    return gst_tomo_graph_start(graph, error) && gst_tomo_graph_wait(graph, error);
}

/**
 * gst_tomo_graph_start:
 * @graph: a graph
 * @error: why it can't be started
 *
 * Starts a run and returns. The graph stays alive until it has ended, and if somebody listens to its signals,
 * until the main context has given them out.
 *
 * Returns: whether it was started
 */
gboolean gst_tomo_graph_start(GstTomoGraph *graph, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), FALSE);
    return tomo::to_gerror(error, [&] {
        auto *state = graph->state;
        if (state->runner.is_running())
            tomo::graph_error(GST_TOMO_GRAPH_ERROR_BUSY, "the graph is running already");
        state->context.reset(g_main_context_ref_thread_default());
        g_object_ref(graph); // until the run has ended
        try {
            state->runner.start(*state->graph);
        } catch (...) {
            g_object_unref(graph);
            throw;
        }
        return TRUE;
    });
}

/**
 * gst_tomo_graph_wait:
 * @graph: a graph that was started
 * @error: why it did not get to its end
 *
 * Waits for the end of a run, and gives out its signals meanwhile.
 *
 * Returns: whether it has come to its end
 */
gboolean gst_tomo_graph_wait(GstTomoGraph *graph, GError **error) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), FALSE);
    return tomo::to_gerror(error, [&] {
        tomo::must_not_be_forked();
        auto *state = graph->state;
        do {
            state->wait_for_dispatcher();
            state->dispatch(graph);
        } while (state->runner.wait() || state->runner.is_running());
        state->wait_for_dispatcher();
        state->tidy_up();
        if (const auto e = state->runner.error())
            throw *e;
        return TRUE;
    });
}

/**
 * gst_tomo_graph_poll:
 * @graph: a graph that was started
 * @milliseconds: how long to wait at most
 *
 * Waits a while for something to happen and gives out signals; for applications without a main loop that have
 * other things to do.
 *
 * Returns: whether the run goes on
 */
gboolean gst_tomo_graph_poll(GstTomoGraph *graph, guint milliseconds) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), FALSE);
    auto *state = graph->state;
    if (tomo::is_forked()) // nobody ends a run that another process has started
        return FALSE;
    if (state->runner.wait(std::chrono::milliseconds(milliseconds)))
        state->dispatch(graph);
    if (state->runner.is_running() || state->runner.wait(std::chrono::milliseconds(0)))
        return TRUE;
    state->tidy_up();
    return FALSE;
}

/**
 * gst_tomo_graph_is_running:
 * @graph: a graph
 *
 * Returns: whether a run was started that has not ended
 */
gboolean gst_tomo_graph_is_running(GstTomoGraph *graph) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), FALSE);
    return !tomo::is_forked() && graph->state->runner.is_running();
}

/**
 * gst_tomo_graph_finish:
 * @graph: a graph
 *
 * Ends the stream of a run: each source stops before its next array, and what has been given is completed.
 */
void gst_tomo_graph_finish(GstTomoGraph *graph) {
    g_return_if_fail(GST_IS_TOMO_GRAPH(graph));
    graph->state->runner.end();
}

/**
 * gst_tomo_graph_abort:
 * @graph: a graph
 *
 * Ends a run as soon as possible, from any thread; it ends in an error of code
 * %GST_TOMO_GRAPH_ERROR_ABORTED.
 */
void gst_tomo_graph_abort(GstTomoGraph *graph) {
    g_return_if_fail(GST_IS_TOMO_GRAPH(graph));
    graph->state->runner.abort();
}

/**
 * gst_tomo_make_task:
 * @plugin: name of a task ("flat-field-correct") or element
 * @name: (nullable): name of the new element
 * @error: why there is none
 *
 * Returns: (transfer full) (nullable): a new element, %NULL on error
 */
GstElement *gst_tomo_make_task(const gchar *plugin, const gchar *name, GError **error) {
    g_return_val_if_fail(plugin, nullptr);
    need_gstreamer();
    return tomo::to_gerror(error, [&] {
        return GST_ELEMENT(gst_object_ref_sink(tomo::make_element_of(plugin, name ? name : "")));
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

/**
 * gst_tomo_list_tasks:
 *
 * Returns: (transfer full) (array zero-terminated=1): names of all tasks of gst-tomo and of plugins made with
 * it
 */
gchar **gst_tomo_list_tasks(void) {
    need_gstreamer();
    return string_array(tomo::task_names());
}

/**
 * gst_tomo_set_properties_from_json:
 * @element: an element
 * @json: an object, such as {"factor": 0.5, "center": [1, 2]}
 * @error: which property does not take its value
 *
 * Sets properties, after checking all that GObject leaves unchecked or only warns of.
 *
 * Returns: whether all are set; if not, those in front of the wrong one are
 */
gboolean gst_tomo_set_properties_from_json(GstElement *element, const gchar *json, GError **error) {
    g_return_val_if_fail(GST_IS_ELEMENT(element) && json, FALSE);
    return tomo::to_gerror(error, [&] {
        tomo::set_properties(element, json);
        return TRUE;
    });
}

/**
 * gst_tomo_get_properties_as_json:
 * @element: an element
 * @error: which property can't be written as JSON
 *
 * Returns: (transfer full) (nullable): an object with the properties that differ from their defaults
 */
gchar *gst_tomo_get_properties_as_json(GstElement *element, GError **error) {
    g_return_val_if_fail(GST_IS_ELEMENT(element), nullptr);
    return tomo::to_gerror(
        error, [&] { return g_strdup(tomo::properties_to_json(element).written(false).c_str()); });
}

/**
 * gst_tomo_describe_task:
 * @plugin: name of a task ("flat-field-correct") or element
 * @error: why there is none
 *
 * Describes a task for programs: an object with "task", "element", "description", "class", "inputs" and
 * "outputs" (their names), "optional-inputs", "optional-outputs", "properties" and "results". Each of the
 * properties has "name", "type" (boolean, integer, number, string, enum, array, or the name of another type),
 * "default", "values" (in words), "description", "own" (false for those that elements of the kind have in
 * common), "live" (whether it may change while the stream runs), and, where it applies, "minimum", "maximum",
 * "choices" (objects with "name" and "description") and "automatic" (objects with "minimum" and "maximum": numbers
 * between them leave the value to the element, the scan or the input).
 *
 * Returns: (transfer full) (nullable): the description as JSON
 */
gchar *gst_tomo_describe_task(const gchar *plugin, GError **error) {
    g_return_val_if_fail(plugin, nullptr);
    need_gstreamer();
    return tomo::to_gerror(error,
                           [&] { return g_strdup(tomo::describe_task(plugin).written(true).c_str()); });
}
