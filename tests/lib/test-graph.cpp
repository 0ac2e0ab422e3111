// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Dataflows: from code, from JSON and back, as pipelines that never block themselves, and their runs.
#include <gst/tomo/graph/run.hpp> // first: gstcheck.h defines macros named like members of the standard library

#include "graph-support.hpp"

#include <gst/tomo/graph/cycles.hpp>
#include <gst/tomo/graph/ufo.hpp>
#include <gst/tomo/support/json.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <atomic>
#include <cfloat>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <utility>

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
         {"\"rescale\"", "\"nearest\"", "\"factor\": 0.5", "\"input\": 0", "\"download\": true"})
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

GST_START_TEST(test_strict_json) {
    using tomo::Json;
    // What RFC 8259 allows, with the number as it is written.
    for (const char *good :
         {"0", "-0", "-0.5e-7", "1E400", "18446744073709551616", "[]", "{}", " [1 , 2]\r\n",
          "\xef\xbb\xbf{\"a\":null}", "\"\\u00e4\\ud83d\\ude00\\/\\\"\\\\\""})
        Json::parse(good, "x");
    fail_unless(Json::parse("1E+020", "x").text() == "1E+020");
    fail_unless(Json::parse(R"("a\u00e4\ud83d\ude00\n\/")", "x").text() == "a\xc3\xa4\xf0\x9f\x98\x80\n/");
    // And what it does not, with the place.
    const struct {
        const char *json, *place, *words;
    } wrong[] = {
        {"", "x:1:1:", "empty"},
        {" \n ", "x:2:2:", "empty"},
        {"{} {}", "x:1:4:", "behind the end"},
        {"{\"a\": 1,}", "x:1:9:", "','"},
        {"[1,]", "x:1:4:", "','"},
        {"[1 2]", "x:1:4:", "'2'; wanted ',' or ']'"},
        {"[,]", "x:1:2:", "wanted a value"},
        {"{\"a\" 1}", "x:1:6:", "wanted ':'"},
        {"{a: 1}", "x:1:2:", "'a'; wanted a key"},
        {"{'a': 1}", "x:1:2:", "wanted a key in \""},
        {"['a']", "x:1:2:", "not in '"},
        {"[1, // two\n2]", "x:1:5:", "a comment"},
        {"/* \" */ []", "x:1:1:", "a comment"},
        {"# x\n[]", "x:1:1:", "a comment"},
        {"[NaN]", "x:1:2:", "'NaN'"},
        {"[-Infinity]", "x:1:3:", "a digit is missing"},
        {"[True]", "x:1:2:", "'True'"},
        {"[nullx]", "x:1:2:", "'nullx'"},
        {"[010]", "x:1:2:", "needless 0"},
        {"[-01]", "x:1:2:", "needless 0"},
        {"[+1]", "x:1:2:", "'+1'"},
        {"[.5]", "x:1:2:", "'.5'"},
        {"[1.]", "x:1:4:", "a digit is missing"},
        {"[1e]", "x:1:4:", "a digit is missing"},
        {"[1e+20.0]", "x:1:7:", "does not go on"},
        {"[0x10]", "x:1:3:", "does not go on"},
        {"[\"a\nb\"]", "x:1:4:", "\\n"},
        {"[\"a\x01\"]", "x:1:4:", "U+0001"},
        {"[\"\\q\"]", "x:1:3:", "escape"},
        {"[\"\\u12g4\"]", "x:1:3:", "hexadecimal"},
        {"[\"\\ud800\"]", "x:1:", "surrogate"},
        {"[\"\\udc00\"]", "x:1:", "surrogate"},
        {"[\"\\ud800\\u0041\"]", "x:1:", "surrogate"},
        {"[\"\\u0000\"]", "x:1:", "U+0000"},
        {"[\"abc", "x:1:2:", "no closing"},
        {"[\"\xc3\xa4\", \"\xff\"]", "x:1:8:", "0xff is no UTF-8"},
        {"[\"\xc3\xa4\", x]", "x:1:7:", "'x'"},
        {"{\n \"a\": [\n 1", "x:3:3:", "begins in line 2, column 7"},
        {"{\n \"a\": 1,\n  \"a\": 2}", "x:3:3:", "'a' is there twice"},
    };
    for (const auto &w : wrong) {
        std::string message = "accepted";
        try {
            Json::parse(w.json, "x");
        } catch (const tomo::Error &e) {
            message = e.what();
            fail_unless(e.domain == GST_TOMO_GRAPH_ERROR && e.code == GST_TOMO_GRAPH_ERROR_SYNTAX);
        }
        fail_unless(message.rfind(w.place, 0) == 0 && message.find(w.words) != std::string::npos, "'%s': %s",
                    w.json, message.c_str());
    }
    // Nesting, however it is hidden.
    auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    Json::parse(nested(64), "x");
    check_refused(nested(65), {"JSON:1:65:", "nested"});
    check_refused("{\"nodes\": /* \" */ " + nested(200000) + "}", {"a comment"});
    check_refused("{'nodes\"': " + nested(200000) + "}", {"a key in \""});
    check_refused("{\"nodes\": \"\\\"\", \"edges\": " + nested(200000) + "}", {"nested"});
    // A long line takes no longer than a short one for each value.
    std::string numbers = "[";
    for (int i = 0; i < 200000; i++)
        numbers += "1234567, ";
    const gint64 begin = g_get_monotonic_time();
    fail_unless_equals_int(static_cast<int>(Json::parse(numbers + "1]", "x").items().back().place().column),
                           2 + 200000 * 9);
    fail_unless(g_get_monotonic_time() - begin < 10 * G_USEC_PER_SEC);
    // A byte of 0 ends no text.
    const Folder folder;
    folder.write("zero.json", std::string("{\"nodes\": []}\0{", 15));
    GError *error = nullptr;
    const GraphRef none(gst_tomo_graph_new_from_file((folder.path() + "/zero.json").c_str(), &error));
    fail_unless(!none);
    check_error(error, {"zero.json:1:14:", "a byte of 0"});
}
GST_END_TEST;

GST_START_TEST(test_written_json) {
    using tomo::Json;
    const double numbers[] = {0.0,    -0.0, 0.1, 1, 1e20, 1e22, 1e-320, DBL_MAX, DBL_MIN, 9007199254740993.0,
                              1.0 / 3};
    for (const double number : numbers) {
        const std::string written = Json::number(number).written(false);
        const Json again = Json::parse(written, written);
        const double read = g_ascii_strtod(again.text().c_str(), nullptr);
        fail_unless(std::memcmp(&read, &number, sizeof number) == 0, "%.17g: %s", number, written.c_str());
        fail_unless(!again.is_integer(), "%s", written.c_str());
    }
    for (const auto &[json, text] : {std::pair(Json::number(0.1f), "0.1"),
                                     {Json::number(1e20), "1e+20"},
                                     {Json::number(-INFINITY), "\"-inf\""},
                                     {Json::integer(G_MAXUINT64), "18446744073709551615"},
                                     {Json::integer(G_MININT64), "-9223372036854775808"}})
        fail_unless(json.written(false) == text, "%s", text);
    const std::string all = "\"\\/\x01\t\n\x7f\xc3\xa4\xf0\x9f\x98\x80'";
    for (const bool in_lines : {false, true}) {
        Json object = Json::object(), list = Json::list();
        list.add(Json());
        list.add(Json::boolean(false));
        list.add(Json::object());
        list.add(Json::list());
        object.set(all, Json::text(all));
        object.set("", std::move(list));
        const Json again = Json::parse(object.written(in_lines), "x");
        fail_unless(again.text_of(all) == all);
        fail_unless(again.written(in_lines) == object.written(in_lines));
    }
}
GST_END_TEST;

// Whatever a graph holds is read back as it was.
static std::string random_text() {
    static const char *const parts[] = {"a",
                                        " ",
                                        "\"",
                                        "\\",
                                        "/",
                                        "\x01",
                                        "\n",
                                        "\t",
                                        "\x7f",
                                        "\xc3\xa4",
                                        "\xf0\x9f\x98\x80",
                                        "{",
                                        "'",
                                        ":",
                                        "%05i",
                                        "\xe2\x80\xa8",
                                        "0",
                                        "="};
    std::string made;
    for (std::size_t n = random_between(1, 12); n > 0; n--)
        made += parts[random_between(0, G_N_ELEMENTS(parts) - 1)];
    return made;
}

// Moved into the range afterwards.
static double random_number() {
    static const double extremes[] = {0.0,     -0.0,    0.1,   1e20,        -1e20,   1e-320, -1e-310,
                                      DBL_MAX, DBL_MIN, 1e-45, FLT_MAX,     FLT_MIN, 1e22,   -DBL_MAX,
                                      1.0 / 3, 0.5,     1e300, 16777217.0f, 1e-7};
    return random_between(0, 3) ? extremes[random_between(0, G_N_ELEMENTS(extremes) - 1)]
                                : std::ldexp(static_cast<double>(random_between(1, G_MAXUINT32)),
                                             static_cast<int>(random_between(0, 120)) - 60);
}

static guint64 random_integer() {
    static const guint64 extremes[] = {0,          1,          G_MAXINT, G_MAXUINT, (guint64{1} << 53) + 1,
                                       G_MAXINT64, G_MAXUINT64};
    return extremes[random_between(0, G_N_ELEMENTS(extremes) - 1)];
}

// Nothing for types that hold no plain value.
static bool random_value(GParamSpec *spec, GValue *value) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    g_value_init(value, type);
    if (type == G_TYPE_DOUBLE)
        g_value_set_double(value, random_number());
    else if (type == G_TYPE_FLOAT)
        g_value_set_float(value, static_cast<float>(CLAMP(random_number(), -FLT_MAX, FLT_MAX)));
    else if (type == G_TYPE_BOOLEAN)
        g_value_set_boolean(value, random_between(0, 1));
    else if (type == G_TYPE_STRING)
        g_value_set_string(value, random_text().c_str());
    else if (type == G_TYPE_INT)
        g_value_set_int(value, static_cast<gint>(random_integer()));
    else if (type == G_TYPE_UINT)
        g_value_set_uint(value, static_cast<guint>(random_integer()));
    else if (type == G_TYPE_INT64)
        g_value_set_int64(value, static_cast<gint64>(random_integer()));
    else if (type == G_TYPE_UINT64)
        g_value_set_uint64(value, random_integer());
    else if (type == G_TYPE_ULONG)
        g_value_set_ulong(value, random_integer());
    else if (G_IS_PARAM_SPEC_ENUM(spec)) {
        const auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
        g_value_set_enum(value, klass->values[random_between(0, klass->n_values - 1)].value);
    } else if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec) && GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec) {
        for (std::size_t n = random_between(0, 4); n > 0; n--) {
            GValue item = G_VALUE_INIT;
            if (random_value(GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec, &item))
                gst_value_array_append_value(value, &item);
            g_value_unset(&item);
        }
    } else {
        return false;
    }
    g_param_value_validate(spec, value);
    return true;
}

static std::vector<GParamSpec *> plain_properties(GstElement *element) {
    guint count = 0;
    const std::unique_ptr<GParamSpec *, tomo::Free> all(
        g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count));
    std::vector<GParamSpec *> plain(all.get(), all.get() + count);
    plain.erase(std::remove_if(plain.begin(), plain.end(),
                               [&](const GParamSpec *spec) {
                                   if (spec->owner_type != G_OBJECT_TYPE(element))
                                       return true;
                                   const auto unwanted = G_PARAM_CONSTRUCT_ONLY | G_PARAM_DEPRECATED;
                                   return (spec->flags & G_PARAM_READWRITE) != G_PARAM_READWRITE ||
                                          (spec->flags & unwanted);
                               }),
                plain.end());
    return plain;
}

GST_START_TEST(test_dump_reads_back) {
    const std::unique_ptr<gchar *, decltype(&g_strfreev)> tasks(gst_tomo_list_tasks(), g_strfreev);
    std::vector<std::string> plugins(tasks.get(), tasks.get() + g_strv_length(tasks.get()));
    plugins.insert(plugins.end(), {"videotestsrc", "identity", "fakesink", "audiotestsrc", "queue"});
    int set_count = 0;
    for (int round = 0; round < 20; round++) {
        const GraphRef graph(gst_tomo_graph_new());
        GError *error = nullptr;
        std::vector<std::pair<GstElement *, GParamSpec *>> changed;
        for (const auto &plugin : plugins) {
            auto *element =
                gst_tomo_graph_add_node(graph.get(), plugin.c_str(),
                                        (plugin + std::to_string(round) + "\n\xc3\xa4\"").c_str(), &error);
            fail_unless(element != nullptr, "%s", error ? error->message : "");
            for (GParamSpec *spec : plain_properties(element)) {
                GValue value = G_VALUE_INIT;
                // No raw file has 1, 3 or 7 bits: these are UFO's numbers for 8, 16 and 32.
                const bool has_two_meanings = std::strcmp(spec->name, "raw-bitdepth") == 0;
                if (!has_two_meanings && random_between(0, 2) && random_value(spec, &value)) {
                    g_object_set_property(G_OBJECT(element), spec->name, &value);
                    changed.emplace_back(element, spec);
                }
                if (G_IS_VALUE(&value))
                    g_value_unset(&value);
            }
        }
        const CString json(gst_tomo_graph_to_json(graph.get(), &error));
        fail_unless(json != nullptr, "%s", error ? error->message : "");
        const GraphRef again(gst_tomo_graph_new_from_json(json.get(), &error));
        fail_unless(again != nullptr, "%s", error ? error->message : "");
        const CString second(gst_tomo_graph_to_json(again.get(), nullptr));
        const auto lines = g_strsplit(json.get(), "\n", -1), others = g_strsplit(second.get(), "\n", -1);
        for (int i = 0; lines[i] || others[i]; i++)
            fail_unless(g_strcmp0(lines[i], others[i]) == 0, "'%s' became '%s'", lines[i], others[i]);
        g_strfreev(lines);
        g_strfreev(others);
        for (const auto &[element, spec] : changed) {
            auto *other = gst_tomo_graph_get_node(again.get(), GST_OBJECT_NAME(element));
            GValue a = G_VALUE_INIT, b = G_VALUE_INIT;
            g_value_init(&a, G_PARAM_SPEC_VALUE_TYPE(spec));
            g_value_init(&b, G_PARAM_SPEC_VALUE_TYPE(spec));
            g_object_get_property(G_OBJECT(element), spec->name, &a);
            g_object_get_property(G_OBJECT(other), spec->name, &b);
            const CString shown(g_strdup_value_contents(&a)), read(g_strdup_value_contents(&b));
            const bool is_same = GST_VALUE_HOLDS_ARRAY(&a) ? gst_value_compare(&a, &b) == GST_VALUE_EQUAL
                                                           : g_param_values_cmp(spec, &a, &b) == 0;
            fail_unless(is_same, "%s.%s: %s became %s", G_OBJECT_TYPE_NAME(element), spec->name, shown.get(),
                        read.get());
            set_count++;
            g_value_unset(&a);
            g_value_unset(&b);
        }
    }
    fail_unless(set_count > 1000);
}
GST_END_TEST;

// Numbers for names, as UFO writes them: of all its enumerations.
GST_START_TEST(test_ufo_numbers) {
    using tomo::Json;
    const Json inventory = Json::parse(tomo::read_text_file(UFO_INVENTORY, "JSON"), UFO_INVENTORY);
    int known = 0, tried = 0;
    for (const auto &[task, properties, task_place] : inventory.members())
        for (const auto &[name, property, place] : properties.members()) {
            if (property.text_of("type") != "enum")
                continue;
            const ObjectRef<GstElement> element(gst_tomo_make_task(task.c_str(), nullptr, nullptr));
            const auto &choices = property.find("choices")->items(),
                       &numbers = property.find("numbers")->items();
            for (std::size_t i = 0; i < choices.size(); i++) {
                const std::string number = numbers[i].text(), nick = choices[i].text();
                fail_unless(tomo::ufo_choice(task, name, std::stoll(number)) == nick, "%s.%s %s",
                            task.c_str(), name.c_str(), number.c_str());
                known++;
                if (!element) // not there yet
                    continue;
                GError *error = nullptr;
                const std::string json = "{\"" + name + "\": " + number + "}";
                fail_unless(gst_tomo_set_properties_from_json(element.get(), json.c_str(), &error),
                            "%s %s: %s", task.c_str(), json.c_str(), error ? error->message : "");
                GValue value = G_VALUE_INIT;
                g_object_get_property(G_OBJECT(element.get()), name.c_str(), &value);
                const auto *meant = g_enum_get_value(G_ENUM_CLASS(g_type_class_peek(G_VALUE_TYPE(&value))),
                                                     g_value_get_enum(&value));
                fail_unless_equals_string(meant->value_nick, nick.c_str());
                g_value_unset(&value);
                tried++;
            }
            if (!element)
                continue;
            GError *error = nullptr;
            fail_unless(!gst_tomo_set_properties_from_json(element.get(), ("{\"" + name + "\": 99}").c_str(),
                                                           &error));
            check_error(error, {name, "99", "number of UFO's", choices.front().text()});
        }
    fail_unless(known > 120 && tried > 70, "%d %d", known, tried);

    auto refused = [](const char *task, const char *json, const std::vector<std::string> &words) {
        const ObjectRef<GstElement> element(gst_tomo_make_task(task, nullptr, nullptr));
        GError *error = nullptr;
        fail_unless(!gst_tomo_set_properties_from_json(element.get(), json, &error), "accepted: %s", json);
        check_error(error, words);
    };
    // An enumeration of ours alone has names only, and so do numbers in text.
    refused("flatten", R"({"mode": 1})", {"mode", "'1'", "one of median"});
    refused("backproject", R"({"mode": "0"})", {"mode", "'0'", "nearest"});
    refused("backproject", R"({"mode": 0.0})", {"mode", "0.0", "0 nearest, 1 texture"});
    // Bits are written by their place in an enumeration, which UFO itself can't read.
    for (const auto &[written, bits] : {std::pair("3", 16u), {"16", 16u}, {"1", 8u}, {"7", 32u}, {"0", 0u}}) {
        const ObjectRef<GstElement> read(gst_tomo_make_task("read", nullptr, nullptr));
        fail_unless(gst_tomo_set_properties_from_json(
            read.get(), (std::string("{\"raw-bitdepth\": ") + written + "}").c_str(), nullptr));
        guint set = 99;
        g_object_get(read.get(), "raw-bitdepth", &set, nullptr);
        fail_unless_equals_int(set, bits);
    }
}
GST_END_TEST;

GST_START_TEST(test_property_sets) {
    const auto graph = graph_of(R"({
        "prop-sets": {"size": {"width": 7, "height": 4}, "small": {"width": 2}, "edge": {"addressing-mode": 4403}},
        "nodes": [{"plugin": "dummy-data", "name": "a", "prop-refs": ["size"], "properties": {"width": 5, "number": 3}},
                  {"plugin": "pad", "name": "p", "prop-refs": ["size", "edge", "small"]},
                  {"plugin": "null", "name": "n", "prop-refs": []}],
        "edges": [{"from": "a", "to": "p"}, {"from": "p", "to": "n"}]})");
    guint width = 0, height = 0, number = 0;
    g_object_get(gst_tomo_graph_get_node(graph.get(), "a"), "width", &width, "height", &height, "number",
                 &number, nullptr);
    fail_unless(width == 7 && height == 4 && number == 3); // a set counts more than the node's own, as in UFO
    const CString json(gst_tomo_graph_to_json(graph.get(), nullptr));
    fail_unless(std::strstr(json.get(), "\"addressing-mode\": \"repeat\"") &&
                    std::strstr(json.get(), "\"width\": 2"),
                "%s", json.get());
    const std::string node = R"({"nodes": [{"plugin": "dummy-data", "name": "a", "prop-refs": )";
    check_refused(node + R"(["siez"]}], "prop-sets": {"size": {}}})",
                  {"JSON:1:", "node 'a'", "\"siez\"", "did you mean 'size'"});
    check_refused(node + R"(["size"]}]})", {"'prop-sets'"});
    check_refused(node + R"([1]}], "prop-sets": {"size": {}}})", {"refers to 1"});
    check_refused(node + R"("size"}], "prop-sets": {"size": {}}})", {"no array"});
    check_refused(node + R"(["size"]}], "prop-sets": {"size": []}})", {"'size'", "no object"});
    check_refused(node + R"(["size"]}], "prop-sets": [])"
                         "}",
                  {"'prop-sets' is no object"});
    check_refused(node + R"(["size"]}], "prop-sets": {"size": {"widht": 3}}})",
                  {"node 'a'", "did you mean 'width'"});
}
GST_END_TEST;

GST_START_TEST(test_no_nodes) {
    for (const char *plugin : {"pipeline", "playbin"}) {
        check_refused(json_of({node(plugin, "a")}, {}), {"node 'a'", plugin, "can't be a node"});
        const std::string line = std::string(plugin) + " dummy-data ! null";
        GError *error = nullptr;
        const GraphRef graph(gst_tomo_graph_new_from_line(line.c_str(), &error));
        fail_unless(!graph);
        check_error(error, {plugin, "can't be a node"});
    }
    const GraphRef graph(gst_tomo_graph_new());
    GError *error = nullptr;
    fail_unless(!gst_tomo_graph_add_node(graph.get(), "pipeline", "a", &error));
    check_error(error, {"can't be a node"});
}
GST_END_TEST;

// A pipe has no end, and a device may have none either.
GST_START_TEST(test_special_files) {
    const Folder folder;
    const std::string pipe = folder.path() + "/pipe", kernel = folder.path() + "/blur.cl";
    fail_unless(mkfifo(pipe.c_str(), 0600) == 0 && mkfifo(kernel.c_str(), 0600) == 0);
    const std::pair<std::string, const char *> files[] = {{pipe, "is a pipe"},
                                                          {"/dev/zero", "is a device"},
                                                          {folder.path(), "is a folder"},
                                                          {"/proc/kmsg", "can't read"}};
    for (const auto &[file, words] : files) {
        GError *error = nullptr;
        const GraphRef graph(gst_tomo_graph_new_from_file(file.c_str(), &error));
        fail_unless(!graph);
        if (file != "/proc/kmsg") // which some may read
            check_error(error, {file, words});
        else
            g_clear_error(&error);
    }
    auto flow = [](const std::string &middle) {
        return graph_of(json_of({ones("s", 2), middle, node("null", "n")}, {edge("s", "m"), edge("m", "n")}));
    };
    for (const std::string &file : {pipe, std::string("/dev/zero")})
        check_run_fails(flow(node("opencl", "m", R"("kernel": "k", "filename": ")" + file + "\"")).get(),
                        {"node 'm'", file});
    check_run_fails(flow(node("stat-monitor", "m", R"("filename": ")" + pipe + "\"")).get(),
                    {"node 'm'", "is a pipe"});
    const GraphRef graph(gst_tomo_graph_new());
    GError *error = nullptr;
    fail_unless(!gst_tomo_graph_write_json(graph.get(), pipe.c_str(), &error));
    check_error(error, {"is a pipe"});
    g_setenv("GST_TOMO_KERNEL_PATH", folder.path().c_str(), TRUE);
    check_run_fails(flow(node("blur", "m")).get(), {"node 'm'", "is a pipe"});
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
                    {"'v' can't be connected to 'n'", "video/x-raw", "arrays of", "put tomoconvert between"});
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
        std::vector<tomo::GraphEdge> edges;
        for (std::size_t i = 0, n = random_between(1, 9); i < n; i++) {
            const auto a = random_between(0, nodes - 2), b = random_between(a + 1, nodes - 1);
            edges.emplace_back(a, b);
        }
        const auto component = tomo::cycles_of(nodes, edges);
        std::set<std::pair<std::size_t, std::size_t>> together;
        std::vector<std::size_t> path;
        std::vector<bool> on_path(nodes);
        std::function<void(std::size_t, std::size_t)> walk = [&](std::size_t start, std::size_t at) {
            for (std::size_t e = 0; e < edges.size(); e++) {
                if (std::find(path.begin(), path.end(), e) != path.end() ||
                    (edges[e].first != at && edges[e].second != at))
                    continue;
                const auto next = edges[e].first == at ? edges[e].second : edges[e].first;
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
    const auto graph = graph_of(json_of(
        {ones("s", 70), node("stack", "k", R"("number": 7)"), node("slice", "l"),
         node("flat-field-correct", "f", R"("several": "pairs")"), ones("dark", 1), node("fakesink", "out")},
        {edge("s", "f", 0), edge("dark", "f", 1), edge("s", "k"), edge("k", "l"), edge("l", "f", 2),
         edge("f", "out")}));
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
                          node("flat-field-correct", "f", R"("several": "pairs")"), ones("d", 1, 50, 20),
                          node("fakesink", "out")},
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
        std::vector<std::string> nodes{ones("n0", random_between(10, 40)), ones("n1", random_between(10, 40)),
                                       ones("n2", random_between(10, 40))};
        std::vector<std::string> edges, outputs{"n0", "n1", "n2"};
        std::set<std::size_t> unused{0, 1, 2};
        auto any_output = [&] {
            const auto i = random_between(0, outputs.size() - 1);
            unused.erase(i);
            return outputs[i];
        };
        for (std::size_t i = 3, n = random_between(5, 11); i < n; i++) {
            const std::string name = "n" + std::to_string(i);
            const auto kind = random_between(0, 4);
            std::string output = name;
            if (kind <= 1) {
                nodes.push_back(node("flat-field-correct", name, R"("fix-nan-and-inf": true)"));
                std::set<std::string> taken; // none for two of them
                for (int k = 0; k < 3; k++) {
                    auto given = any_output();
                    while (!taken.insert(given).second)
                        given = any_output();
                    edges.push_back(edge(given, name, k));
                }
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
                                         "'",
                                         "/* \" */",
                                         "010",
                                         "1e+20.0",
                                         "4403",
                                         "\\ud800",
                                         "\"prop-refs\"",
                                         "\"pipeline\"",
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
    const std::string flow = json_of(
        {R"({"plugin": "dummy-data", "name": "s", "properties": {"number": 9, "init": 1}, "prop-refs": ["size"]})",
         node("average", "a"), node("rescale", "r", R"("factor": 1.0, "interpolation": 4416)"),
         node("flat-field-correct", "f", R"("absorption-correct": true)"),
         node("null", "out", R"("download": false)")},
        {edge("s", "f", 0), R"({"from": {"name": "s"}, "to": {"name": "a", "input": 0}})", edge("s", "f", 1),
         edge("a", "f", 2), edge("f", "r"), edge("r", "out")});
    const std::string whole =
        flow.substr(0, flow.rfind('}')) +
        R"(, "prop-sets": {"size": {"width": 5, "height": 3}}, "bindings": [{"from": {"name": "s", "property": "init"}, "to": {"name": "f", "property": "dark-scale"}}]})";
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

// An application that looks at all messages may ask about the run while it is being aborted.
GST_START_TEST(test_abort_is_told_without_lock) {
    const auto graph = graph_of(endless());
    const tomo::ObjectRef<GstElement> pipeline(gst_tomo_graph_get_pipeline(graph.get(), nullptr));
    fail_unless(gst_tomo_graph_start(graph.get(), nullptr));
    const tomo::ObjectRef<GstBus> bus(gst_element_get_bus(pipeline.get()));
    static std::atomic<unsigned> asked{0};
    gst_bus_set_sync_handler(
        bus.get(),
        [](GstBus *, GstMessage *message, gpointer graph) {
            if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_APPLICATION) {
                fail_unless(gst_tomo_graph_is_running(GST_TOMO_GRAPH(graph)));
                asked++;
            }
            return GST_BUS_PASS;
        },
        graph.get(), nullptr);
    gst_tomo_graph_abort(graph.get());
    fail_unless(!gst_tomo_graph_wait(graph.get(), nullptr));
    fail_unless_equals_int(asked, 1);
    gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
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
    auto *sink = gst_tomo_graph_get_node(forgotten, "out");
    g_object_add_weak_pointer(G_OBJECT(forgotten), reinterpret_cast<gpointer *>(&forgotten));
    g_object_add_weak_pointer(G_OBJECT(sink), reinterpret_cast<gpointer *>(&sink));
    g_object_unref(forgotten);
    while (forgotten || sink) {
        g_main_context_iteration(nullptr, FALSE);
        g_usleep(1000);
    }
    // The thread of the run may be about to free the last of it.
    g_usleep(100000);
}
GST_END_TEST;

// While the pipeline tells that all sinks have an array, and before it goes on to PLAYING.
struct PauseOnTheWay {
    tomo::Runner &runner;
    std::atomic<bool> has_paused{false};

    static GstBusSyncReply on_message(GstBus *, GstMessage *message, gpointer user_data) {
        auto *self = static_cast<PauseOnTheWay *>(user_data);
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ASYNC_DONE && !self->has_paused.exchange(true)) {
            self->runner.pause(true);
            g_usleep(300000); // in which the thread of the run changes the state, if it does
        }
        return GST_BUS_PASS;
    }
};

GST_START_TEST(test_pause_on_the_way_to_playing) {
    const auto graph = tomo::Graph::from_words(
        {"dummy-data", "number=3000", "width=4", "!", "sleep", "time=0.001", "!", "null", "name=out"});
    tomo::Runner runner([] {}, [] {});
    PauseOnTheWay pause{runner};
    const ObjectRef<GstBus> bus(gst_element_get_bus(graph->pipeline()));
    gst_bus_set_sync_handler(bus.get(), PauseOnTheWay::on_message, &pause, nullptr);
    runner.start(*graph);
    const auto last_progress = [&](guint64 before) {
        for (auto event = runner.take(); event; event = runner.take())
            if (const auto *progress = std::get_if<tomo::Progress>(&*event))
                before = progress->output;
        return before;
    };
    while (!pause.has_paused)
        g_usleep(1000);
    // A busy machine takes its time until the streams stand.
    guint64 held = last_progress(0), before = G_MAXUINT64;
    while (held != before && held < 3000) {
        g_usleep(400000);
        before = std::exchange(held, last_progress(held));
    }
    fail_unless(held < 3000);
    runner.pause(false);
    const auto deadline = g_get_monotonic_time() + 20 * G_TIME_SPAN_SECOND;
    while (runner.is_running() && g_get_monotonic_time() < deadline)
        g_usleep(10000);
    fail_unless(!runner.is_running(), "it goes on after a pause");
    runner.join_after_end();
    fail_unless(!runner.error());
    gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
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
    tcase_add_test(tests, test_strict_json);
    tcase_add_test(tests, test_written_json);
    tcase_add_test(tests, test_dump_reads_back);
    tcase_add_test(tests, test_ufo_numbers);
    tcase_add_test(tests, test_property_sets);
    tcase_add_test(tests, test_no_nodes);
    tcase_add_test(tests, test_special_files);
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
    tcase_add_test(tests, test_abort_is_told_without_lock);
    tcase_add_test(tests, test_abort_and_end);
    tcase_add_test(tests, test_pause_on_the_way_to_playing);
    tcase_add_test(tests, test_pipeline);
    return suite;
}

GST_CHECK_MAIN(graph)
