// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Properties that take their values from another element's result: which array they are for, and who waits.
#include "graph-support.hpp"

#include <gst/tomo/bases/filter.hpp>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

using namespace tomotest;
using tomo::Array;
using tomo::ArrayInfo;
using tomo::CString;
using tomo::ObjectRef;

// Finds `factor` (i + 1) in array i.
class TestMeasure final : public tomo::Filter {
  public:
    static constexpr tomo::Info info{
        .task = "test-measure", .klass = "Filter/Analyzer", .blurb = "Measures for tests"};
    tomo::Property<double> factor{this, "factor", 1.0, "What numbers are multiplied with"};
    tomo::Property<unsigned> every{this, "every", 1, "Tells of each n-th; 0: of none"};
    tomo::Property<bool> none{this, "none", false, "Tells that there is no value"};
    tomo::Property<bool> at_end{this, "at-end", false, "Tells of the last one at the end of the stream"};
    tomo::Result value{this, "value", "What was measured"};
    tomo::Property<int> early{this, "early", 0, tomo::When::ready, "Counts only before the start"};

    ArrayInfo shape(const ArrayInfo &in) override { return in; }
    Array apply(const Array &in) override {
        if (every > 0 && !at_end && frame_index() % every == 0)
            value.report(none ? std::nan("") : factor * (frame_index() + 1));
        return in;
    }
    GstFlowReturn drain() override {
        if (at_end)
            value.report(factor * frame_index());
        return Filter::drain();
    }
};

// All samples are `shift`.
class TestShift final : public tomo::BatchFilter {
  public:
    static constexpr tomo::Info info{
        .task = "test-shift", .klass = "Filter/Effect", .blurb = "Shows a property for tests"};
    tomo::Property<float> shift{this, "shift", -1.0f, {-1.0f, 100000.0f}, "All samples"};

    void process(const Array &, Array &out) override {
        const float v = shift;
        fill(out, &v, sizeof v);
    }
    unsigned batch_that_pays(const ArrayInfo &) override { return 5; }
};

TOMO_ELEMENT(TestMeasure)
TOMO_ELEMENT(TestShift)

namespace {

std::string tie(const std::string &from, const std::string &result, const std::string &to,
                const std::string &property) {
    return R"({"from": {"name": ")" + from + R"(", "property": ")" + result + R"("}, "to": {"name": ")" + to +
           R"(", "property": ")" + property + "\"}}";
}

std::string with_bindings(const std::string &json, const std::vector<std::string> &bindings) {
    std::string all;
    for (const auto &binding : bindings)
        all += (all.empty() ? "" : ",\n") + binding;
    return json.substr(0, json.rfind('}')) + ",\n\"bindings\": [" + all + "]}";
}

} // namespace

GST_START_TEST(test_below) {
    // Whatever lies between: what is measured on an array is used for that array, and for those behind it.
    const unsigned n = random_between(20, 60), every = random_between(1, 9);
    const std::vector<std::string> ends{ones("s", n),
                                        node("test-measure", "m", tomo::text("\"every\": %u", every)),
                                        node("test-shift", "t"), node("fakesink", "out")};
    for (const bool has_queue : {false, true}) {
        auto nodes = ends;
        std::vector<std::string> edges{edge("s", "m"), edge("t", "out")};
        if (has_queue) {
            nodes.insert(nodes.end(), {node("queue", "q"), node("calculate", "c"), node("queue", "r")});
            edges.insert(edges.end(), {edge("m", "q"), edge("q", "c"), edge("c", "r"), edge("r", "t")});
        } else {
            edges.push_back(edge("m", "t"));
        }
        const auto graph = graph_of(with_bindings(json_of(nodes, edges), {tie("m", "value", "t", "shift")}));
        Values out(graph.get(), "out");
        for (int again = 0; again < 2; again++) {
            out.values.clear();
            run(graph.get());
            fail_unless_equals_int(out.values.size(), n);
            for (unsigned i = 0; i < n; i++)
                fail_unless(out.values[i] == i / every * every + 1, "array %u: %f, every %u", i,
                            out.values[i], every);
        }
    }
}
GST_END_TEST;

GST_START_TEST(test_below_late) {
    // Behind an element that knows its output at the end only: the newest value is kept until then.
    const unsigned n = random_between(3, 20);
    const auto graph =
        graph_of(with_bindings(json_of({ones("s", n), node("test-measure", "m"), node("average", "a"),
                                        node("test-shift", "t"), node("fakesink", "out")},
                                       {edge("s", "m"), edge("m", "a"), edge("a", "t"), edge("t", "out")}),
                               {tie("m", "value", "t", "shift")}));
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless_equals_int(out.values.size(), 1);
    fail_unless(out.values[0] == n, "%f of %u", out.values[0], n);
}
GST_END_TEST;

GST_START_TEST(test_no_value) {
    // NaN says that there is none: nobody goes on with what was in force before.
    for (const char *end : {"test-shift", "fakesink"}) {
        const bool is_ours = std::string(end) == "test-shift";
        const auto graph = graph_of(with_bindings(
            json_of({ones("s", 3), node("test-measure", "m"), node("queue", "q"), node("test-shift", "t"),
                     node("fakesink", "out")},
                    {edge("s", "m"), edge("m", "q"), edge("q", "t"), edge("t", "out")}),
            {is_ours ? tie("m", "value", "t", "shift") : tie("m", "value", "out", "max-bitrate")}));
        g_object_set(gst_tomo_graph_get_node(graph.get(), "m"), "none", TRUE, nullptr);
        GError *error = nullptr;
        fail_if(gst_tomo_graph_run(graph.get(), &error));
        const std::string message = error->message;
        g_error_free(error);
        for (const char *word : {"NaN", "'value'", "'m'", is_ours ? "'shift'" : "'max-bitrate'"})
            fail_unless(message.find(word) != std::string::npos, "%s is not in: %s", word, message.c_str());
    }
}
GST_END_TEST;

GST_START_TEST(test_below_a_join) {
    // Values pass a join from its main input and from another one, and are taken in order by the join itself.
    const std::vector<std::string> nodes{ones("s", 30),
                                         ones("d", 1),
                                         ones("w", 1),
                                         node("test-measure", "m"),
                                         node("test-measure", "side", "\"factor\": 500"),
                                         node("flat-field-correct", "f"),
                                         node("test-shift", "t"),
                                         node("test-shift", "u"),
                                         node("fakesink", "x"),
                                         node("fakesink", "y"),
                                         node("fakesink", "z")};
    const std::vector<std::string> edges{
        edge("s", "m"), edge("m", "f", 0), edge("d", "side"), edge("side", "f", 1), edge("w", "f", 2),
        edge("f", "t"), edge("f", "u"),    edge("f", "z"),    edge("t", "x"),       edge("u", "y")};
    const auto graph = graph_of(with_bindings(json_of(nodes, edges), {tie("m", "value", "t", "shift"),
                                                                      tie("side", "value", "u", "shift"),
                                                                      tie("m", "value", "f", "dark-scale")}));
    // (p - s d) / (f - s d) with p = 1, s = i + 1, d = 1, f = 0
    g_object_set(gst_tomo_graph_get_node(graph.get(), "d"), "init", 1.0f, nullptr);
    g_object_set(gst_tomo_graph_get_node(graph.get(), "w"), "init", 0.0f, nullptr);
    Values x(graph.get(), "x"), y(graph.get(), "y"), z(graph.get(), "z");
    run(graph.get());
    fail_unless(x.values.size() == 30 && y.values.size() == 30 && z.values.size() == 30);
    for (int i = 0; i < 30; i++) {
        fail_unless(x.values[i] == i + 1.0f, "array %d: %f", i, x.values[i]);
        fail_unless(y.values[i] == 500, "array %d: %f", i, y.values[i]);
        fail_unless(std::abs(z.values[i] - i / (i + 1.0f)) < 1e-5f, "array %d: %f", i, z.values[i]);
    }
}
GST_END_TEST;

// One branch measures, the other one uses it.
static std::string beside(unsigned n, const std::string &measure, unsigned width = 5) {
    return with_bindings(json_of({ones("s", n, width), node("test-measure", "m", measure),
                                  node("null", "end"), node("test-shift", "t"), node("fakesink", "out")},
                                 {edge("s", "t"), edge("s", "m"), edge("m", "end"), edge("t", "out")}),
                         {tie("m", "value", "t", "shift")});
}

GST_START_TEST(test_beside) {
    const unsigned n = random_between(50, 300);
    const auto graph = graph_of(beside(n, "\"at-end\": true"));
    GstElement *measure = gst_tomo_graph_get_node(graph.get(), "m");
    Values out(graph.get(), "out");
    for (const double factor : {1.0, 3.0}) { // each run waits anew
        g_object_set(measure, "factor", factor, nullptr);
        out.values.clear();
        run(graph.get());
        fail_unless_equals_int(out.values.size(), n);
        for (float v : out.values)
            fail_unless(v == factor * n, "%f", v);
    }
    // The first array waits, later ones do not.
    const auto early = graph_of(beside(n, "\"every\": 1"));
    Values each(early.get(), "out");
    run(early.get());
    for (float v : each.values)
        fail_unless(v >= 1, "%f", v);

    const auto small = graph_of(beside(300, "\"at-end\": true", 500)); // 1.8 MB
    g_object_set(small.get(), "max-memory", guint64{600000}, nullptr);
    check_run_fails(small.get(), {"max-memory", "raise"});
}
GST_END_TEST;

GST_START_TEST(test_beside_and_joined) {
    // What measures gives its arrays to a join that waits for the branch which waits for the value.
    const unsigned n = random_between(50, 300);
    const auto graph = graph_of(with_bindings(
        json_of({ones("s", n), node("test-measure", "m", "\"at-end\": true"), ones("d", 1),
                 node("test-shift", "t"), node("flat-field-correct", "f"), node("fakesink", "out")},
                {edge("s", "t"), edge("s", "m"), edge("m", "f", 0), edge("d", "f", 1), edge("t", "f", 2),
                 edge("f", "out")}),
        {tie("m", "value", "t", "shift")}));
    g_object_set(gst_tomo_graph_get_node(graph.get(), "d"), "init", 0.0f, nullptr);
    Values out(graph.get(), "out");
    run(graph.get());
    fail_unless_equals_int(out.values.size(), n);
    for (unsigned i = 0; i < n; i++)
        fail_unless(std::abs(out.values[i] - 1.0f / n) < 1e-5f, "array %u: %f", i, out.values[i]);
}
GST_END_TEST;

GST_START_TEST(test_above) {
    // Nothing can wait; the property changes some time.
    const auto graph = graph_of(with_bindings(
        json_of({ones("s", 9), node("test-shift", "t"), node("test-measure", "m"), node("null", "out")},
                {edge("s", "t"), edge("t", "m"), edge("m", "out")}),
        {tie("m", "value", "t", "shift")}));
    run(graph.get());
    float shift = 0;
    g_object_get(gst_tomo_graph_get_node(graph.get(), "t"), "shift", &shift, nullptr);
    fail_unless(shift == 9);
}
GST_END_TEST;

GST_START_TEST(test_abort) {
    // While one branch waits for a value, and the queue in front of it grows.
    const auto graph = graph_of(beside(100000000, "\"every\": 0"));
    GError *error = nullptr;
    fail_unless(gst_tomo_graph_start(graph.get(), &error));
    const ObjectRef<GstElement> pipeline(gst_tomo_graph_get_pipeline(graph.get(), nullptr));
    const ObjectRef<GstElement> queue(gst_bin_get_by_name(GST_BIN(pipeline.get()), "s-to-t"));
    for (guint level = 0; level < 50;) {
        fail_unless(gst_tomo_graph_poll(graph.get(), 10));
        g_object_get(queue.get(), "current-level-buffers", &level, nullptr);
    }
    gst_tomo_graph_abort(graph.get());
    fail_unless(!gst_tomo_graph_wait(graph.get(), &error));
    fail_unless(g_error_matches(error, GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_ABORTED), "%s",
                error->message);
    g_error_free(error);
}
GST_END_TEST;

GST_START_TEST(test_failures) {
    check_run_fails(graph_of(beside(20, "\"every\": 0")).get(),
                    {"node 't'", "'value' of node 'm'", "ended without"});
    check_run_fails(graph_of(beside(20, "\"factor\": -7")).get(),
                    {"node 't'", "'value' of node 'm'", "shift", "-7", "from -1"});
}
GST_END_TEST;

GST_START_TEST(test_json) {
    const std::string plain = beside(5, "");
    const auto graph = graph_of(plain);
    const CString written(gst_tomo_graph_to_json(graph.get(), nullptr));
    const auto again = graph_of(written.get());
    Values out(again.get(), "out");
    run(again.get());
    fail_unless(out.values.size() == 5 && out.values[0] >= 1);

    const std::string base = plain.substr(0, plain.rfind(",\n\"bindings\"")) + "}";
    auto refused = [&](const std::vector<std::string> &bindings, std::vector<std::string> words) {
        words.push_back("JSON:");
        check_refused(with_bindings(base, bindings), words);
    };
    refused({tie("n", "value", "t", "shift")}, {"no node 'n'"});
    refused({tie("m", "valeu", "t", "shift")}, {"'valeu'", "did you mean 'value'"});
    refused({tie("m", "value", "t", "shfit")}, {"'shfit'", "did you mean 'shift'"});
    refused({tie("t", "shift", "m", "value")}, {"can't be set"});
    refused({tie("t", "shift", "m", "early")}, {"can't change while"});
    refused({tie("t", "shift", "t", "shift")}, {"itself"});
    refused({tie("m", "value", "t", "shift"), tie("s", "init", "t", "shift")}, {"already", "node 'm'"});
    refused({R"({"from": "m", "to": {"name": "t", "property": "shift"}})"}, {"'from' of a binding"});
    refused({R"({"from": {"name": "m"}, "to": {"name": "t", "property": "shift"}})"}, {"no 'property'"});
    refused({R"({"from": {"name": "m", "property": "value"}})"}, {"'to' of a binding"});
    refused({R"({"form": 1})"}, {"unknown key 'form'", "did you mean 'from'"});
}
GST_END_TEST;

GST_START_TEST(test_structure) {
    GError *error = nullptr;
    auto two = [](const std::vector<std::string> &bindings) {
        return graph_of(
            with_bindings(json_of({ones("s", 5), ones("r", 5), node("test-shift", "t"),
                                   node("test-measure", "m"), node("test-shift", "u"),
                                   node("test-measure", "n"), node("null", "x"), node("null", "y")},
                                  {edge("s", "t"), edge("t", "m"), edge("m", "x"), edge("r", "u"),
                                   edge("u", "n"), edge("n", "y")}),
                          bindings));
    };
    // t waits for n, whose arrays come from u, which waits for m, whose arrays come from t.
    check_run_fails(two({tie("n", "value", "t", "shift"), tie("m", "value", "u", "shift")}).get(),
                    {"circle"});
    check_run_fails(two({tie("n", "value", "s", "init")}).get(), {"node 's' is a source"});
    run(two({tie("n", "value", "t", "shift")}).get());

    // From code, and not while it runs.
    const auto graph = two({});
    fail_unless(gst_tomo_graph_bind(graph.get(), "m", "value", "u", "shift", &error));
    fail_unless(!gst_tomo_graph_bind(graph.get(), "m", "value", "nobody", "shift", &error));
    check_error(error, {"no node 'nobody'"});
    error = nullptr;
    fail_unless(gst_tomo_graph_start(graph.get(), &error));
    fail_unless(!gst_tomo_graph_bind(graph.get(), "m", "value", "t", "shift", &error));
    check_error(error, {"while it runs"});
    error = nullptr;
    fail_unless(gst_tomo_graph_wait(graph.get(), &error));
}
GST_END_TEST;

static Suite *bindings_suite() {
    const gboolean registered = gst_plugin_register_static(
        GST_VERSION_MAJOR, GST_VERSION_MINOR, "tomotest", "Elements for tests",
        [](GstPlugin *plugin) -> gboolean {
            return tomo_register_TestMeasure(plugin) && tomo_register_TestShift(plugin);
        },
        "1.0", "LGPL", "tomotest", "tomotest", "https://example.org");
    if (!registered)
        g_error("can't register the elements of the test");
    Suite *suite = suite_create("bindings");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, test_below);
    tcase_add_test(tests, test_below_late);
    tcase_add_test(tests, test_no_value);
    tcase_add_test(tests, test_below_a_join);
    tcase_add_test(tests, test_beside);
    tcase_add_test(tests, test_beside_and_joined);
    tcase_add_test(tests, test_above);
    tcase_add_test(tests, test_abort);
    tcase_add_test(tests, test_failures);
    tcase_add_test(tests, test_json);
    tcase_add_test(tests, test_structure);
    return suite;
}

GST_CHECK_MAIN(bindings)
