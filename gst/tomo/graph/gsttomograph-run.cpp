// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs of a GstTomoGraph.
#include <gst/tomo/graph/c-interface.hpp>
#include <gst/tomo/graph/graph-object.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/support/forked.hpp>

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
        state->signals.set_context(g_main_context_ref_thread_default());
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
            state->signals.wait_for_others();
            state->signals.give_out(G_OBJECT(graph));
        } while (state->runner.wait() || state->runner.is_running());
        state->signals.wait_for_others();
        state->signals.tidy_up();
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
    return tomo::to_critical(G_STRFUNC, [&]() -> gboolean {
        auto *state = graph->state;
        if (tomo::is_forked()) // nobody ends a run that another process has started
            return FALSE;
        if (state->runner.wait(std::chrono::milliseconds(milliseconds)))
            state->signals.give_out(G_OBJECT(graph));
        if (state->runner.is_running() || state->runner.wait(std::chrono::milliseconds(0)))
            return TRUE;
        state->signals.tidy_up();
        return FALSE;
    });
}

/**
 * gst_tomo_graph_is_running:
 * @graph: a graph
 *
 * Returns: whether a run was started that has not ended
 */
gboolean gst_tomo_graph_is_running(GstTomoGraph *graph) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), FALSE);
    return tomo::to_critical(G_STRFUNC,
                             [&] { return !tomo::is_forked() && graph->state->runner.is_running(); });
}

/**
 * gst_tomo_graph_finish:
 * @graph: a graph
 *
 * Ends the stream of a run: each source stops before its next array, and what has been given is completed.
 */
void gst_tomo_graph_finish(GstTomoGraph *graph) {
    g_return_if_fail(GST_IS_TOMO_GRAPH(graph));
    tomo::to_critical(G_STRFUNC, [&] { graph->state->runner.end(); });
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
    tomo::to_critical(G_STRFUNC, [&] { graph->state->runner.abort(); });
}

/**
 * gst_tomo_graph_pause:
 * @graph: a graph
 *
 * Holds the stream at its sinks until gst_tomo_graph_unpause(), from any thread; also one that starts later.
 * Finishing and aborting go on meanwhile.
 */
void gst_tomo_graph_pause(GstTomoGraph *graph) {
    g_return_if_fail(GST_IS_TOMO_GRAPH(graph));
    tomo::to_critical(G_STRFUNC, [&] { graph->state->runner.pause(true); });
}

/**
 * gst_tomo_graph_unpause:
 * @graph: a graph
 *
 * Lets the stream go on.
 */
void gst_tomo_graph_unpause(GstTomoGraph *graph) {
    g_return_if_fail(GST_IS_TOMO_GRAPH(graph));
    tomo::to_critical(G_STRFUNC, [&] { graph->state->runner.pause(false); });
}

/**
 * gst_tomo_graph_sync:
 * @graph: a graph that was started
 *
 * Waits until all messages have come that elements have posted before this call, and gives out their signals.
 * Messages go another way than arrays, so they may come behind an array that was posted later.
 *
 * Returns: whether the run goes on
 */
gboolean gst_tomo_graph_sync(GstTomoGraph *graph) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), FALSE);
    return tomo::to_critical(G_STRFUNC, [&]() -> gboolean {
        if (tomo::is_forked())
            return FALSE;
        graph->state->runner.sync();
        return gst_tomo_graph_poll(graph, 0);
    });
}

/**
 * gst_tomo_graph_get_device_arrays:
 * @graph: a graph
 *
 * Tells how the work of the last run went to devices, also while it runs: for each device on which copies of
 * nodes run, its index among all devices, its name, and the arrays that the copies have computed there. Where
 * several rows of nodes run in copies, their arrays are added up.
 *
 * Returns: (transfer full): an array of tuples, of type "a(ust)"; empty where no node has copies
 */
GVariant *gst_tomo_graph_get_device_arrays(GstTomoGraph *graph) {
    g_return_val_if_fail(GST_IS_TOMO_GRAPH(graph), nullptr);
    return tomo::to_critical(G_STRFUNC, [&] {
        GVariantBuilder builder;
        g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ust)"));
        for (const auto &[device, name, arrays] : graph->state->runner.devices())
            g_variant_builder_add(&builder, "(ust)", device, name.c_str(), arrays);
        return g_variant_ref_sink(g_variant_builder_end(&builder));
    });
}
