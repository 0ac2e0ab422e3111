// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Dataflows: from code, from JSON and back, as pipelines that never block themselves, and their runs.
#include "graph-support.hpp"

#include <gst/tomo/graph-cycles.hpp>

#include <algorithm>
#include <cstring>
#include <set>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::CString;
using tomo::ObjectRef;

// From code
// ------------------------------------------------------------------------------------------------------

GST_START_TEST(test_code) {
    const GraphRef graph(gst_tomo_graph_new());
    GError *error = nullptr;
    auto *source = gst_tomo_graph_add_node(graph.get(), "dummy-data", "source", &error);
    auto *work = gst_tomo_graph_add_node(graph.get(), "calculate", nullptr, &error);
    fail_unless(source && work && !error);
    fail_unless_equals_string(GST_OBJECT_NAME(work), "calculate");
    fail_unless(gst_tomo_graph_add_node(graph.get(), "calculate", nullptr, &error) != nullptr);
    fail_unless(gst_tomo_graph_get_node(graph.get(), "calculate-1") != nullptr);
    fail_unless(gst_tomo_graph_add_node(graph.get(), "null", "calculate", &error) == nullptr);
    check_error(error, {"two nodes", "calculate"});
    error = nullptr;

    g_object_set(source, "number", 7u, "init", 2.0f, nullptr);
    g_object_set(work, "expression", "v * 3", nullptr);
    fail_unless(gst_tomo_set_properties_from_json(gst_tomo_graph_get_node(graph.get(), "calculate-1"),
                                                  "{\"expression\": \"v + 1\"}", &error));
    fail_unless(gst_tomo_graph_add_node(graph.get(), "fakesink", "sink", &error) != nullptr);
    const char *path[] = {"source", "calculate", "calculate-1", "sink"};
    for (int i = 0; i < 3; i++)
        fail_unless(gst_tomo_graph_connect_nodes(graph.get(), path[i], path[i + 1], 0, &error), "%s",
                    error ? error->message : "");
    Values values(graph.get(), "sink");
    run(graph.get());
    fail_unless(values.values == std::vector<float>(7, 7.0f));
    // And again, with another value.
    values.values.clear();
    g_object_set(work, "expression", "v * 5", nullptr);
    run(graph.get());
    fail_unless(values.values == std::vector<float>(7, 11.0f));
    double seconds = 0;
    g_object_get(graph.get(), "time", &seconds, nullptr);
    fail_unless(seconds > 0);
}
GST_END_TEST;

GST_START_TEST(test_elements) {
    GError *error = nullptr;
    const ObjectRef<GstElement> source(gst_tomo_make_task("dummy-data", "a", &error)),
        sink(gst_tomo_make_task("null", nullptr, &error));
    fail_unless(source && sink && !error);
    const GraphRef graph(gst_tomo_graph_new());
    fail_unless(gst_tomo_graph_connect_elements(graph.get(), source.get(), sink.get(), 0, &error));
    fail_unless(!gst_tomo_graph_connect_elements(graph.get(), source.get(), sink.get(), 0, &error));
    check_error(error, {"input 0", "taken", "'a'"});
    error = nullptr;
    run(graph.get());
    fail_unless(gst_tomo_make_task("rescal", nullptr, &error) == nullptr);
    check_error(error, {"rescal", "did you mean 'rescale'"});
    error = nullptr;
    fail_unless(gst_tomo_make_task("fakesonk", nullptr, &error) == nullptr);
    check_error(error, {"did you mean 'fakesink'"});
    // Ours first, GStreamer's by its own name.
    const ObjectRef<GstElement> ours(gst_tomo_make_task("flat_field-correct", nullptr, nullptr)),
        theirs(gst_tomo_make_task("videotestsrc", nullptr, nullptr));
    fail_unless_equals_string(G_OBJECT_TYPE_NAME(ours.get()), "GstTomoFlatFieldCorrect");
    fail_unless_equals_string(G_OBJECT_TYPE_NAME(theirs.get()), "GstVideoTestSrc");
    gchar **tasks = gst_tomo_list_tasks();
    fail_unless(g_strv_contains(tasks, "flat-field-correct") && !g_strv_contains(tasks, "fakesink"));
    g_strfreev(tasks);
}
GST_END_TEST;

// JSON
// ------------------------------------------------------------------------------------------------------

GST_START_TEST(test_json) {
    const auto graph = graph_of(R"({
        "version": "2.0",
        "nodes": [
            {"plugin": "dummy-data", "name": "s", "properties": {"number": 3, "width": 4.0, "height": 2, "init": 0.1}},
            {"plugin": "rescale", "name": "r", "properties": {"factor": 0.5, "interpolation": "nearest"}},
            {"plugin": "null", "name": "n", "properties": {"download": true}}
        ],
        "edges": [
            {"from": {"name": "s"}, "to": {"name": "r", "input": 0}, "output": 0},
            {"from": "r", "to": "n"}
        ]})");
    float init = 0;
    gboolean download = FALSE;
    g_object_get(gst_tomo_graph_get_node(graph.get(), "s"), "init", &init, nullptr);
    g_object_get(gst_tomo_graph_get_node(graph.get(), "n"), "download", &download, nullptr);
    fail_unless(init == 0.1f && download);
    const CString first(gst_tomo_graph_to_json(graph.get(), nullptr));
    const std::string text = first.get();
    for (const char *part :
         {"\"rescale\"", "\"nearest\"", "\"factor\" : 0.5", "\"input\" : 0", "\"download\" : true"})
        fail_unless(text.find(part) != std::string::npos, "%s lacks %s", text.c_str(), part);
    fail_unless(text.find("interpolation") < text.find("null"));
    // What is written is what was read; running changes nothing.
    const auto again = graph_of(text);
    run(again.get());
    const CString second(gst_tomo_graph_to_json(again.get(), nullptr));
    fail_unless_equals_string(second.get(), text.c_str());

    const Folder folder;
    const std::string file = folder.path() + "/graph.json";
    fail_unless(gst_tomo_graph_write_json(graph.get(), file.c_str(), nullptr));
    GError *error = nullptr;
    const GraphRef from_file(gst_tomo_graph_new_from_file(file.c_str(), &error));
    fail_unless(from_file != nullptr);
    run(from_file.get());
    fail_unless(gst_tomo_graph_new_from_file((file + "x").c_str(), &error) == nullptr);
    check_error(error, {"graph.jsonx"});
}
GST_END_TEST;

GST_START_TEST(test_json_values) {
    // Lists, text for numbers, nested nodes, structures.
    const ObjectRef<GstElement> pad(gst_tomo_make_task("compositor", nullptr, nullptr));
    auto set = [](GstElement *element, const std::string &json) {
        GError *error = nullptr;
        const bool ok = gst_tomo_set_properties_from_json(element, json.c_str(), &error);
        fail_unless(ok, "%s", error ? error->message : "");
    };
    auto refused = [](GstElement *element, const std::string &json, const std::vector<std::string> &words) {
        GError *error = nullptr;
        fail_unless(!gst_tomo_set_properties_from_json(element, json.c_str(), &error), "accepted: %s",
                    json.c_str());
        check_error(error, words);
    };
    const ObjectRef<GstElement> rescale(gst_tomo_make_task("rescale", nullptr, nullptr)),
        read(gst_tomo_make_task("read", nullptr, nullptr)),
        bin(gst_tomo_make_task("playbin", nullptr, nullptr)),
        source(gst_tomo_make_task("videotestsrc", nullptr, nullptr)),
        mix(gst_tomo_make_task("audiomixmatrix", nullptr, nullptr));
    set(rescale.get(), R"({"factor": "0.25"})");
    set(source.get(), R"({"pattern": "ball", "is-live": 1, "foreground-color": "0xff00ff00"})");
    CString json(gst_tomo_get_properties_as_json(source.get(), nullptr));
    fail_unless(std::strstr(json.get(), "\"ball\"") && std::strstr(json.get(), "4278255360"), "%s",
                json.get());
    set(source.get(), R"j({"pattern": "Random (television snow)"})j");
    refused(source.get(), R"({"pattern": "bal"})", {"pattern", "'bal'", "did you mean 'ball'", "one of"});
    refused(source.get(), R"({"pattern": 1000})", {"pattern", "1000"});
    refused(source.get(), R"({"pattern": true})", {"pattern", "true"});
    refused(source.get(), R"({"is-live": "maybe"})", {"is-live", "true or false"});
    refused(source.get(), R"({"num-buffers": 1.5})", {"num-buffers", "1.5", "an integer"});
    refused(source.get(), R"({"foreground-color": -1})", {"foreground-color", "-1", "at least 0"});
    refused(source.get(), R"({"foreground-color": 4294967296})", {"foreground-color"});
    refused(rescale.get(), R"({"factor": "fast"})", {"factor", "'fast'", "a number"});
    refused(rescale.get(), R"({"factor": -1})", {"factor", "-1"});
    refused(rescale.get(), R"({"factor": 1e300})", {"factor"});
    refused(rescale.get(), R"({"factor": null})", {"factor", "null"});
    refused(rescale.get(), R"({"factor": [1, 2]})", {"factor", "[1,2]"});
    refused(rescale.get(), R"({"factor": {"plugin": "read"}})", {"factor"});
    refused(rescale.get(), R"({"facto": 1})", {"no property 'facto'", "did you mean 'factor'"});
    refused(rescale.get(), R"({"name": "x"})", {"name"});
    refused(rescale.get(), R"({"factor": 1, "factor": 2})", {"factor", "twice"});
    refused(rescale.get(), R"([1])", {"object"});
    refused(read.get(), R"({"path": 5})", {"path", "text"});

    // A list of lists of numbers is what this element takes.
    set(mix.get(), R"({"in-channels": 2, "out-channels": 1, "matrix": [[0.25, 0.75]]})");
    json = CString(gst_tomo_get_properties_as_json(mix.get(), nullptr));
    fail_unless(std::strstr(json.get(), "[[0.25,0.75]]"), "%s", json.get());
    refused(mix.get(), R"({"matrix": [["a"]]})", {"matrix"});

    // A node as a value.
    set(bin.get(),
        R"({"video-sink": {"plugin": "fakesink", "name": "inner", "properties": {"num-buffers": 3}}})");
    GstElement *inner = nullptr;
    g_object_get(bin.get(), "video-sink", &inner, nullptr);
    fail_unless(inner != nullptr);
    gint number = 0;
    g_object_get(inner, "num-buffers", &number, nullptr);
    fail_unless_equals_int(number, 3);
    gst_object_unref(inner);
    refused(bin.get(), R"({"video-sink": {"plugin": "fakesinc"}})", {"fakesinc", "did you mean 'fakesink'"});
    refused(bin.get(), R"({"video-sink": {"plugin": "fakesink", "properties": {"num-buffer": 3}}})",
            {"num-buffer", "did you mean 'num-buffers'"});
}
GST_END_TEST;

GST_START_TEST(test_json_errors) {
    check_refused("", {"JSON:"});
    check_refused("{\n\"nodes\": [\n}", {"JSON:3"});
    check_refused("[]", {"object"});
    check_refused("{}", {"no 'nodes'"});
    check_refused(R"({"nodes": 1})", {"'nodes' is no array"});
    check_refused(R"({"nodes": [1]})", {"entry 0"});
    check_refused("{\"nodes\": [\n{\"name\": \"x\"}]}", {"JSON:2", "'x'", "no 'plugin'"});
    check_refused("{\"nodes\": [\n\n{\"plugin\": \"raed\",\n\"name\": \"x\"}]}",
                  {"JSON:3", "'x'", "raed", "did you mean 'read'"});
    check_refused("{\"nodes\": [\n{\"plugin\": \"rescale\", \"name\": \"x\",\n \"properties\": {\n"
                  "\"factor\": 0.5,\n\"facto\": 1}}]}",
                  {"JSON:5", "node 'x'", "facto"});
    check_refused(json_of({node("read", "a"), node("null", "a")}, {}), {"JSON:3", "two nodes", "'a'"});
    check_refused(json_of({node("read", "a"), node("null", "b")}, {edge("a", "c")}),
                  {"JSON:6", "no node 'c'"});
    check_refused(json_of({node("read", "a"), node("null", "b")}, {edge("a", "b"), edge("a", "b")}),
                  {"JSON:7", "input 0", "'b'", "taken"});
    check_refused(json_of({node("read", "a"), node("null", "b")}, {edge("a", "b", 1)}), {"no input 1"});
    check_refused(json_of({node("read", "a"), node("null", "b")}, {edge("b", "a")}),
                  {"JSON:6", "'a'", "takes no input"});
    check_refused(json_of({node("read", "a"), node("flat-field-correct", "b")}, {edge("a", "b", 4)}),
                  {"no input 4", "0 to 3", "projections, darks, flats, flats-after"});
    check_refused(R"({"nodes": [], "prop-sets": {}})", {"prop-sets", "not supported"});
    check_refused(R"({"nodes": [], "index": 1, "total": 3})", {"distributed"});
    check_refused(R"({"nodes": [], "edgse": []})", {"edgse", "did you mean 'edges'"});
    check_refused(R"({"nodes": [{"plugin": "read", "package": "ir"}]})",
                  {"package 'ir'", "comes from 'tomo'"});
    check_refused(R"({"nodes": [], "edges": [{"from": 1, "to": "a"}]})", {"'from'"});
    check_refused(
        json_of({node("read", "a"), node("null", "b")}, {R"({"from": "a", "to": "b", "input": -1})"}),
        {"input"});
    check_refused(json_of({node("read", "a"), node("null", "b")},
                          {R"({"from": "a", "to": {"name": "b", "input": 0}, "input": 1})"}),
                  {"twice"});
    check_refused(std::string(100000, '['), {"nested"});
    check_refused("{\"nodes\": [{\"plugin\": \"rea\xff\"}]}", {"JSON"});
}
GST_END_TEST;

GST_START_TEST(test_structure_errors) {
    check_run_fails(graph_of(R"({"nodes": []})").get(), {"no node"});
    check_run_fails(graph_of(json_of({ones("a", 1)}, {})).get(), {"nobody takes", "'a'", "null"});
    check_run_fails(graph_of(json_of({node("null", "b")}, {})).get(), {"nothing is connected", "'b'"});
    check_run_fails(
        graph_of(json_of({node("calculate", "a"), node("calculate", "b")}, {edge("a", "b"), edge("b", "a")}))
            .get(),
        {"circle", "a, b"});
    check_run_fails(graph_of(json_of({ones("a", 1), node("flat-field-correct", "f"), node("null", "n")},
                                     {edge("a", "f", 0), edge("f", "n")}))
                        .get(),
                    {"node 'f'", "darks"});
    check_run_fails(graph_of(json_of({node("videotestsrc", "v"), node("null", "n")}, {edge("v", "n")})).get(),
                    {"'v' can't be connected to 'n'", "video/x-raw", "application/x-tomo-array"});
    check_run_fails(graph_of(json_of({ones("a", 1), node("funnel", "f"), node("fakesink", "n")},
                                     {edge("a", "f", 1), edge("f", "n")}))
                        .get(),
                    {"node 'f'", "input 0"});
    // An error of an element names its node.
    check_run_fails(
        graph_of(json_of({node("read", "my reader", R"("path": "/no/such/file.tif")"), node("null", "n")},
                         {edge("my reader", "n")}))
            .get(),
        {"node 'my reader'", "/no/such/file.tif"});
}
GST_END_TEST;

GST_START_TEST(test_other_elements) {
    // By their own names; several kinds of inputs by the names of their pads; an element with its own tee.
    const auto graph = graph_of(
        json_of({node("videotestsrc", "v", R"("num-buffers": 5)"), node("tee", "t"), node("convert", "c"),
                 node("fakesink", "f"), node("null", "n"),
                 node("capsfilter", "caps", R"("caps": "video/x-raw,format=GRAY8,width=32,height=16")")},
                {edge("v", "caps"), edge("caps", "t"), edge("t", "c"), edge("t", "f"), edge("c", "n")}));
    Values video(graph.get(), "f"), arrays(graph.get(), "n");
    run(graph.get());
    fail_unless_equals_int(video.values.size(), 5);
    fail_unless_equals_int(arrays.values.size(), 5);
    const CString json(gst_tomo_graph_to_json(graph.get(), nullptr));
    fail_unless(std::strstr(json.get(), "async") == nullptr, "%s", json.get());
    run(graph_of(json.get()).get());
}
GST_END_TEST;

// Fan-out and joins
// ------------------------------------------------------------------------------------------------

GST_START_TEST(test_cycles) {
    // Against the definition: two edges share a component if and only if a simple cycle goes through both.
    for (int round = 0; round < 30; round++) {
        const std::size_t nodes = random_between(2, 7);
        std::vector<tomo::Graph::Edge> edges;
        for (std::size_t i = 0, n = random_between(1, 9); i < n; i++) {
            const auto a = random_between(0, nodes - 2), b = random_between(a + 1, nodes - 1);
            edges.push_back({a, b, "", ""});
        }
        const auto component = tomo::cycles_of(nodes, edges);
        std::set<std::pair<std::size_t, std::size_t>> together;
        std::vector<std::size_t> path;
        std::vector<bool> on_path(nodes);
        std::function<void(std::size_t, std::size_t)> walk = [&](std::size_t start, std::size_t at) {
            for (std::size_t e = 0; e < edges.size(); e++) {
                if (std::find(path.begin(), path.end(), e) != path.end() ||
                    (edges[e].from != at && edges[e].to != at))
                    continue;
                const auto next = edges[e].from == at ? edges[e].to : edges[e].from;
                path.push_back(e);
                if (next == start) {
                    for (auto a : path)
                        for (auto b : path)
                            together.emplace(a, b);
                } else if (!on_path[next]) {
                    on_path[next] = true;
                    walk(start, next);
                    on_path[next] = false;
                }
                path.pop_back();
            }
        };
        for (std::size_t n = 0; n < nodes; n++) {
            on_path[n] = true;
            walk(n, n);
            on_path[n] = false;
        }
        for (std::size_t a = 0; a < edges.size(); a++)
            for (std::size_t b = 0; b < edges.size(); b++)
                fail_unless_equals_int((component[a] == component[b]),
                                       (a == b || together.count({a, b}) > 0));
    }
}
GST_END_TEST;

GST_START_TEST(test_fan_out) {
    // One output to three sinks, one of them behind an element that gives its only array at the end.
    const unsigned n = random_between(20, 60);
    const auto graph = graph_of(
        json_of({ones("s", n), node("calculate", "c", R"("expression": "v + 1")"), node("average", "a"),
                 node("fakesink", "x"), node("fakesink", "y"), node("fakesink", "z")},
                {edge("s", "x"), edge("s", "c"), edge("c", "y"), edge("s", "a"), edge("a", "z")}));
    Values x(graph.get(), "x"), y(graph.get(), "y"), z(graph.get(), "z");
    for (int again = 0; again < 2; again++) {
        run(graph.get());
        fail_unless_equals_int(x.values.size(), n);
        fail_unless_equals_int(y.values.size(), n);
        fail_unless_equals_int(z.values.size(), 1);
        fail_unless(x.values.back() == 1 && y.values.back() == 2 && z.values.back() == 1);
        x.values.clear(), y.values.clear(), z.values.clear();
    }
}
GST_END_TEST;

// Projections that are corrected by their own average: the join gets nothing until the whole stream has
// passed.
static std::string by_own_average(unsigned n, unsigned width = 5, unsigned height = 3) {
    return json_of({ones("s", n, width, height), node("average", "a"),
                    node("calculate", "d", R"("expression": "v * 0.0f")"), node("flat-field-correct", "f"),
                    node("fakesink", "out")},
                   {edge("s", "f", 0), edge("s", "a"), edge("a", "f", 2), edge("s", "d"), edge("d", "f", 1),
                    edge("f", "out")});
}

GST_START_TEST(test_diamond_with_reducer) {
    const unsigned n = random_between(30, 300);
    const auto graph = graph_of(by_own_average(n));
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless_equals_int(out.values.size(), n);
    for (float v : out.values)
        fail_unless(v == 1.0f);
    // What waits is kept on the host.
    const ObjectRef<GstElement> pipeline(gst_tomo_graph_get_pipeline(graph.get(), nullptr));
    const ObjectRef<GstElement> download(gst_bin_get_by_name(GST_BIN(pipeline.get()), "s-to-f-download")),
        none(gst_bin_get_by_name(GST_BIN(pipeline.get()), "s-to-a-download"));
    fail_unless(download && !none);
}
GST_END_TEST;

// The most that a queue is allowed to hold in a run; what it was in the run before it may still be.
static guint largest_size(GstTomoGraph *graph, const char *queue) {
    const ObjectRef<GstElement> pipeline(gst_tomo_graph_get_pipeline(graph, nullptr));
    const ObjectRef<GstElement> element(gst_bin_get_by_name(GST_BIN(pipeline.get()), queue));
    fail_unless(static_cast<bool>(element), "there is no queue '%s'", queue);
    guint largest = 0;
    g_object_get(element.get(), "max-size-buffers", &largest, nullptr);
    const auto id = g_signal_connect(element.get(), "notify::max-size-buffers",
                                     G_CALLBACK(+[](GstElement *q, GParamSpec *, guint *most) {
                                         guint size = 0;
                                         g_object_get(q, "max-size-buffers", &size, nullptr);
                                         *most = std::max(*most, size);
                                     }),
                                     &largest);
    run(graph);
    g_signal_handler_disconnect(element.get(), id);
    return largest;
}

GST_START_TEST(test_diamond_with_stack) {
    // One branch takes seven before it gives one; the other one gives everything at once.
    const auto graph =
        graph_of(json_of({ones("s", 70), node("stack", "k", R"("number": 7)"), node("slice", "l"),
                          node("flat-field-correct", "f"), ones("dark", 1), node("fakesink", "out")},
                         {edge("s", "f", 0), edge("dark", "f", 1), edge("s", "k"), edge("k", "l"),
                          edge("l", "f", 2), edge("f", "out")}));
    g_object_set(gst_tomo_graph_get_node(graph.get(), "dark"), "init", 0.0f, nullptr);
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless_equals_int(out.values.size(), 70);
    const guint size = largest_size(graph.get(), "s-to-f");
    fail_unless(size >= 5 && size < 40, "the queue may hold %u", size);
}
GST_END_TEST;

GST_START_TEST(test_crossed_joins) {
    // Two sources, two joins, and a reducer on one of the four ways: no branch meets its own sibling.
    const auto graph = graph_of(json_of(
        {ones("s1", 80), ones("s2", 80), node("average", "a"), ones("d1", 1), ones("d2", 1),
         node("flat-field-correct", "f1"), node("flat-field-correct", "f2"), node("fakesink", "o1"),
         node("fakesink", "o2")},
        {edge("s1", "f1", 0), edge("s1", "f2", 0), edge("s2", "a"), edge("a", "f1", 2), edge("s2", "f2", 2),
         edge("d1", "f1", 1), edge("d2", "f2", 1), edge("f1", "o1"), edge("f2", "o2")}));
    for (const char *dark : {"d1", "d2"})
        g_object_set(gst_tomo_graph_get_node(graph.get(), dark), "init", 0.0f, nullptr);
    Values o1(graph.get(), "o1"), o2(graph.get(), "o2");
    run(graph.get());
    fail_unless_equals_int(o1.values.size(), 80);
    fail_unless_equals_int(o2.values.size(), 80);
}
GST_END_TEST;

GST_START_TEST(test_slow_join) {
    // Crossed joins, of which one is slow: its queues are full and those of the other one empty, but nothing
    // waits in a circle, so nothing needs more room.
    const auto graph = graph_of(json_of({ones("s1", 40), ones("s2", 40), ones("d1", 1), ones("d2", 1),
                                         node("flat-field-correct", "f1"), node("flat-field-correct", "f2"),
                                         node("identity", "slow", R"("sleep-time": 20000)"),
                                         node("fakesink", "o1"), node("fakesink", "o2")},
                                        {edge("s1", "f1", 0), edge("s1", "f2", 0), edge("s2", "f1", 2),
                                         edge("s2", "f2", 2), edge("d1", "f1", 1), edge("d2", "f2", 1),
                                         edge("f1", "slow"), edge("slow", "o1"), edge("f2", "o2")}));
    fail_unless(largest_size(graph.get(), "s1-to-f1") <= 6);
    fail_unless(largest_size(graph.get(), "s2-to-f1") <= 6);
}
GST_END_TEST;

GST_START_TEST(test_max_memory) {
    const auto graph = graph_of(by_own_average(300, 50, 20)); // 1.2 MB
    g_object_set(graph.get(), "max-memory", guint64{400000}, nullptr);
    check_run_fails(graph.get(), {"node 'f'", "max-memory", "raise"});
    g_object_set(graph.get(), "max-memory", guint64{4000000}, nullptr);
    fail_unless(largest_size(graph.get(), "s-to-f") > 250);
}
GST_END_TEST;

GST_START_TEST(test_slow_at_limit) {
    // At the limit nothing moves for longer than any patience, but an element is at work.
    const auto graph =
        graph_of(json_of({ones("s", 20, 50, 20), node("stack", "k", R"("number": 10)"), node("slice", "l"),
                          node("identity", "slow", R"("sleep-time": 4000000)"),
                          node("flat-field-correct", "f"), ones("d", 1, 50, 20), node("fakesink", "out")},
                         {edge("s", "f", 0), edge("d", "f", 1), edge("s", "k"), edge("k", "slow"),
                          edge("slow", "l"), edge("l", "f", 2), edge("f", "out")}));
    g_object_set(graph.get(), "max-memory", guint64{70000}, nullptr); // 17 arrays
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless_equals_int(out.values.size(), 20);
}
GST_END_TEST;

GST_START_TEST(test_small_queue) {
    // Of the user's, and too small: said, not waited for.
    GError *error = nullptr;
    const GraphRef graph(gst_tomo_graph_new_from_line(
        "dummy-data number=50 ! tee name=t  t. ! average ! f.flats  "
        "t. ! queue max-size-buffers=7 name=mine ! f.projections  dummy-data number=1 ! f.darks  "
        "flat-field-correct name=f ! null",
        &error));
    fail_unless(graph != nullptr);
    check_run_fails(graph.get(), {"node 'mine'", "node 'f'", "too small", "max-size-buffers"});
    g_object_set(gst_tomo_graph_get_node(graph.get(), "mine"), "max-size-buffers", 60u, nullptr);
    run(graph.get());
}
GST_END_TEST;

GST_START_TEST(test_unequal_lengths) {
    // The shorter side inputs repeat their last array.
    const auto graph =
        graph_of(json_of({ones("p", 9), node("dummy-data", "d", R"("number": 3, "width": 5, "height": 3)"),
                          ones("w", 2), node("flat-field-correct", "f"), node("fakesink", "out")},
                         {edge("p", "f", 0), edge("d", "f", 1), edge("w", "f", 2), edge("f", "out")}));
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless_equals_int(out.values.size(), 9);
}
GST_END_TEST;

GST_START_TEST(test_random_graphs) {
    // Every legal graph comes to its end, whatever meets whatever.
    for (int round = 0; round < 10; round++) {
        std::vector<std::string> nodes{ones("n0", random_between(10, 40)),
                                       ones("n1", random_between(10, 40))};
        std::vector<std::string> edges, outputs{"n0", "n1"};
        std::set<std::size_t> unused{0, 1};
        auto any_output = [&] {
            const auto i = random_between(0, outputs.size() - 1);
            unused.erase(i);
            return outputs[i];
        };
        for (std::size_t i = 2, n = random_between(4, 10); i < n; i++) {
            const std::string name = "n" + std::to_string(i);
            const auto kind = random_between(0, 4);
            std::string output = name;
            if (kind <= 1) {
                nodes.push_back(node("flat-field-correct", name, R"("fix-nan-and-inf": true)"));
                for (int k = 0; k < 3; k++)
                    edges.push_back(edge(any_output(), name, k));
            } else {
                nodes.push_back(kind == 2   ? node("average", name)
                                : kind == 3 ? node("stack", name, R"("number": 6)")
                                            : node("calculate", name));
                edges.push_back(edge(any_output(), name));
            }
            if (kind == 3) { // only slices have the size of the others
                output += "-slices";
                nodes.push_back(node("slice", output));
                edges.push_back(edge(name, output));
            }
            unused.insert(outputs.size());
            outputs.push_back(output);
        }
        for (const auto i : unused) {
            nodes.push_back(node("null", "end of " + outputs[i]));
            edges.push_back(edge(outputs[i], "end of " + outputs[i]));
        }
        const std::string json = json_of(nodes, edges);
        const auto graph = graph_of(json);
        GError *error = nullptr;
        const gint64 patience = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
        fail_unless(gst_tomo_graph_start(graph.get(), &error));
        while (gst_tomo_graph_poll(graph.get(), 1000) && g_get_monotonic_time() < patience) {
        }
        fail_unless(!gst_tomo_graph_is_running(graph.get()), "no end: %s", json.c_str());
        fail_unless(gst_tomo_graph_wait(graph.get(), &error), "%s: %s", error ? error->message : "",
                    json.c_str());
    }
}
GST_END_TEST;

// Damaged JSON: an error or a run, never a crash or a hang. GST_TOMO_TEST_FUZZ sets the number of files.
static std::string damaged(std::string json) {
    static const char *const pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"",
                                         "null",
                                         "-1",
                                         "1e400",
                                         "0",
                                         "true",
                                         "\"input\"",
                                         "\\u0000",
                                         "NaN",
                                         "18446744073709551616",
                                         "\"plugin\"",
                                         "\"from\"",
                                         "\n",
                                         "//",
                                         "\xff",
                                         "[1,2]",
                                         "{\"plugin\": \"read\"}",
                                         "\"a\"",
                                         "\"s\"",
                                         "0.5"};
    for (std::size_t n = random_between(1, 4); n > 0 && !json.empty(); n--) {
        const auto at = random_between(0, json.size() - 1),
                   length = std::min(random_between(1, random_between(1, 40)), json.size() - at);
        switch (random_between(0, 9)) {
        case 6: // what stays well-formed gets further
        case 7:
        case 8:
        case 9:
            if (const auto digit = json.find_first_of("0123456789", at); digit != std::string::npos)
                json[digit] = static_cast<char>('0' + random_between(0, 9));
            break;
        case 0:
            json[at] = static_cast<char>(random_between(0, 255));
            break;
        case 1:
            json.erase(at, length);
            break;
        case 2:
            json.insert(random_between(0, json.size()), json.substr(at, length));
            break;
        case 3:
            json.insert(at, pieces[random_between(0, G_N_ELEMENTS(pieces) - 1)]);
            break;
        case 4: { // a number or name for another
            const auto end = json.find_first_of(" ,:{}[]\n", at);
            json.replace(at, std::min(end, json.size()) - at,
                         pieces[random_between(0, G_N_ELEMENTS(pieces) - 1)]);
            break;
        }
        default:
            json.resize(at);
        }
    }
    return json;
}

GST_START_TEST(test_damaged_json) {
    const char *given = g_getenv("GST_TOMO_TEST_FUZZ");
    const int files = given ? std::atoi(given) : 10000;
    const int runs = 40; // the others are only made pipelines, as a run may take a while
    const Folder folder;
    const std::string file = folder.path() + "/graph.json";
    const std::string flow =
        json_of({ones("s", 9), node("average", "a"),
                 node("rescale", "r", R"("factor": 1.0, "interpolation": "nearest")"),
                 node("flat-field-correct", "f", R"("absorption-correct": true)"),
                 node("null", "out", R"("download": false)")},
                {edge("s", "f", 0), R"({"from": {"name": "s"}, "to": {"name": "a", "input": 0}})",
                 edge("s", "f", 1), edge("a", "f", 2), edge("f", "r"), edge("r", "out")});
    const std::string whole =
        flow.substr(0, flow.rfind('}')) +
        R"(, "bindings": [{"from": {"name": "s", "property": "init"}, "to": {"name": "f", "property": "dark-scale"}}]})";
    int accepted = 0;
    for (int i = 0; i < files; i++) {
        const std::string json = damaged(whole);
        GError *error = nullptr;
        // As a file, which may hold anything.
        folder.write("graph.json", json);
        const GraphRef graph(gst_tomo_graph_new_from_file(file.c_str(), &error));
        fail_unless((graph == nullptr) == (error != nullptr), "%s", json.c_str());
        if (graph && accepted >= runs) {
            const ObjectRef<GstElement> pipeline(gst_tomo_graph_get_pipeline(graph.get(), &error));
            fail_unless(!pipeline == (error != nullptr), "%s", json.c_str());
            accepted += error == nullptr;
        } else if (graph && gst_tomo_graph_start(graph.get(), &error)) {
            accepted++;
            const gint64 patience = g_get_monotonic_time() + G_USEC_PER_SEC;
            while (gst_tomo_graph_poll(graph.get(), 100) && g_get_monotonic_time() < patience) {
            }
            gst_tomo_graph_abort(graph.get());
            const gint64 limit = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
            while (gst_tomo_graph_poll(graph.get(), 100))
                fail_unless(g_get_monotonic_time() < limit, "hangs: %s", json.c_str());
            gst_tomo_graph_wait(graph.get(), &error);
        }
        if (error)
            fail_unless(std::strlen(error->message) > 0);
        g_clear_error(&error);
    }
    g_print("%d of %d damaged files were accepted\n", accepted, files);
    fail_unless(accepted < files);
}
GST_END_TEST;

// Runs
// ------------------------------------------------------------------------------------------------------

namespace {

struct Heard {
    std::vector<std::string> ends;
    guint64 position = 0, duration = 0, output = 0, warnings = 0;
    GThread *thread = nullptr;
    GMainLoop *loop = nullptr;

    explicit Heard(GstTomoGraph *graph) {
        g_signal_connect(graph, "progress", G_CALLBACK(on_progress), this);
        g_signal_connect(graph, "message", G_CALLBACK(on_message), this);
        g_signal_connect(graph, "error", G_CALLBACK(on_error), this);
        g_signal_connect(graph, "done", G_CALLBACK(on_done), this);
    }
    static void on_progress(GstTomoGraph *, guint64 position, guint64 duration, guint64 output, Heard *self) {
        fail_unless(position >= self->position && output >= self->output);
        self->position = position, self->duration = duration, self->output = output;
        self->thread = g_thread_self();
    }
    static void on_message(GstTomoGraph *, GstMessage *message, Heard *self) {
        self->warnings += GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING;
    }
    static void on_error(GstTomoGraph *, GError *error, Heard *self) { self->end(error->message); }
    static void on_done(GstTomoGraph *, Heard *self) { self->end("done"); }
    void end(const std::string &how) {
        ends.push_back(how);
        thread = g_thread_self();
        if (loop)
            g_main_loop_quit(loop);
    }
};

std::string endless() {
    return json_of({node("videotestsrc", "s"), node("fakesink", "out")}, {edge("s", "out")});
}

} // namespace

GST_START_TEST(test_signals) {
    const auto graph = graph_of(json_of({ones("s", 9), node("null", "out")}, {edge("s", "out")}));
    Heard heard(graph.get());
    run(graph.get());
    fail_unless(heard.ends == std::vector<std::string>{"done"});
    fail_unless(heard.position == 9 && heard.duration == 9 && heard.output == 9);
    fail_unless(heard.thread == g_thread_self());

    // With a main loop.
    fail_unless(gst_tomo_graph_start(graph.get(), nullptr));
    heard.position = heard.output = 0;
    heard.loop = g_main_loop_new(nullptr, FALSE);
    g_main_loop_run(heard.loop);
    fail_unless(heard.ends == std::vector<std::string>({"done", "done"}));
    fail_unless(heard.output == 9 && heard.thread == g_thread_self());
    fail_unless(gst_tomo_graph_wait(graph.get(), nullptr));
    g_main_loop_unref(heard.loop);

    // Nothing is left behind: neither sources in the main context nor references.
    while (g_main_context_iteration(nullptr, FALSE)) {
    }
    ASSERT_OBJECT_REFCOUNT(graph.get(), "graph", 1);
}
GST_END_TEST;

GST_START_TEST(test_warnings_and_errors) {
    const auto graph = graph_of(json_of(
        {ones("p", 2), ones("d", 5), ones("w", 2), node("flat-field-correct", "f"), node("null", "out")},
        {edge("p", "f", 0), edge("d", "f", 1), edge("w", "f", 2), edge("f", "out")}));
    Heard heard(graph.get());
    run(graph.get());
    fail_unless(heard.warnings >= 1);
    const auto broken = graph_of(json_of(
        {node("read", "r", R"("path": "/no/such/file.tif")"), node("null", "out")}, {edge("r", "out")}));
    Heard errors(broken.get());
    for (int i = 0; i < 2; i++)
        check_run_fails(broken.get(), {"node 'r'"});
    fail_unless_equals_int(errors.ends.size(), 2);
    fail_unless(errors.ends[0].find("node 'r'") != std::string::npos);
}
GST_END_TEST;

GST_START_TEST(test_abort_and_end) {
    const auto graph = graph_of(endless());
    GError *error = nullptr;
    for (const bool aborts : {true, false}) {
        Heard heard(graph.get());
        fail_unless(gst_tomo_graph_start(graph.get(), &error));
        fail_unless(!gst_tomo_graph_start(graph.get(), &error));
        check_error(error, {"running"});
        error = nullptr;
        fail_unless(gst_tomo_graph_add_node(graph.get(), "null", "x", &error) == nullptr);
        check_error(error, {"while it runs"});
        error = nullptr;
        while (heard.output == 0)
            fail_unless(gst_tomo_graph_poll(graph.get(), 1000));
        if (aborts) {
            gst_tomo_graph_abort(graph.get());
            fail_unless(!gst_tomo_graph_wait(graph.get(), &error));
            fail_unless(g_error_matches(error, GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_ABORTED));
            g_clear_error(&error);
        } else {
            gst_tomo_graph_finish(graph.get());
            fail_unless(gst_tomo_graph_wait(graph.get(), &error));
        }
        fail_unless(!gst_tomo_graph_is_running(graph.get()));
        g_signal_handlers_disconnect_by_data(graph.get(), &heard);
    }
    gst_tomo_graph_abort(graph.get()); // harmless
    gst_tomo_graph_finish(graph.get());
    // A graph that nobody holds any more runs to its end.
    auto *forgotten = graph_of(json_of({ones("s", 9), node("null", "out")}, {edge("s", "out")})).release();
    fail_unless(gst_tomo_graph_start(forgotten, nullptr));
    g_object_add_weak_pointer(G_OBJECT(forgotten), reinterpret_cast<gpointer *>(&forgotten));
    g_object_unref(forgotten);
    while (forgotten) {
        g_main_context_iteration(nullptr, FALSE);
        g_usleep(1000);
    }
}
GST_END_TEST;

GST_START_TEST(test_pipeline) {
    // Of the application, with a tee that lacks its queues and a pad with properties of its own.
    GError *error = nullptr;
    GstElement *pipeline =
        gst_parse_launch("tomodummydata number=25 width=4 init=1 ! tee name=t  t. ! tomoaverage ! f.flats  "
                         "t. ! f.projections  tomodummydata width=4 ! f.darks  "
                         "tomoflatfieldcorrect name=f ! fakesink name=out",
                         &error);
    fail_unless(pipeline && !error);
    const GraphRef graph(gst_tomo_graph_new_from_pipeline(pipeline, &error));
    fail_unless(graph != nullptr);
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless_equals_int(out.values.size(), 25);
    const CString json(gst_tomo_graph_to_json(graph.get(), nullptr));
    const auto again = graph_of(json.get());
    Values same(again.get(), "out");
    run(again.get());
    fail_unless(same.values == out.values);
    // The graph can be changed afterwards.
    fail_unless(gst_tomo_graph_add_node(graph.get(), "dummy-data", "more", &error) != nullptr);
    fail_unless(gst_tomo_graph_add_node(graph.get(), "null", "end", &error) != nullptr);
    fail_unless(gst_tomo_graph_connect_nodes(graph.get(), "more", "end", 0, &error));
    out.values.clear();
    run(graph.get());
    fail_unless_equals_int(out.values.size(), 25);

    const ObjectRef<GstElement> lone(gst_tomo_make_task("null", nullptr, nullptr));
    fail_unless(gst_tomo_graph_new_from_pipeline(lone.get(), &error) == nullptr);
    check_error(error, {"no pipeline"});
}
GST_END_TEST;

static Suite *graph_suite() {
    Suite *suite = suite_create("graph");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, test_code);
    tcase_add_test(tests, test_elements);
    tcase_add_test(tests, test_json);
    tcase_add_test(tests, test_json_values);
    tcase_add_test(tests, test_json_errors);
    tcase_add_test(tests, test_structure_errors);
    tcase_add_test(tests, test_other_elements);
    tcase_add_test(tests, test_cycles);
    tcase_add_test(tests, test_fan_out);
    tcase_add_test(tests, test_diamond_with_reducer);
    tcase_add_test(tests, test_diamond_with_stack);
    tcase_add_test(tests, test_crossed_joins);
    tcase_add_test(tests, test_slow_join);
    tcase_add_test(tests, test_max_memory);
    tcase_add_test(tests, test_slow_at_limit);
    tcase_add_test(tests, test_small_queue);
    tcase_add_test(tests, test_unequal_lengths);
    tcase_add_test(tests, test_random_graphs);
    tcase_add_test(tests, test_damaged_json);
    tcase_add_test(tests, test_signals);
    tcase_add_test(tests, test_warnings_and_errors);
    tcase_add_test(tests, test_abort_and_end);
    tcase_add_test(tests, test_pipeline);
    return suite;
}

GST_CHECK_MAIN(graph)
