// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Graphs for tests, written short.
#pragma once

#include "support.hpp"

#include <gst/tomo/device/gobject.hpp>
#include <gst/tomo/gsttomo.h>

#include <memory>
#include <string>
#include <vector>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

namespace tomotest {

struct GraphUnref {
    void operator()(GstTomoGraph *g) const { g_object_unref(g); }
};
using GraphRef = std::unique_ptr<GstTomoGraph, GraphUnref>;

// The error's text, which must contain all of `words`.
inline void check_error(GError *error, const std::vector<std::string> &words) {
    fail_unless(error != nullptr, "no error, but one with '%s' was expected", words.front().c_str());
    const std::string message = error->message;
    g_error_free(error);
    for (const auto &word : words)
        fail_unless(message.find(word) != std::string::npos, "'%s' lacks '%s'", message.c_str(),
                    word.c_str());
}

inline GraphRef graph_of(const std::string &json) {
    GError *error = nullptr;
    GraphRef graph(gst_tomo_graph_new_from_json(json.c_str(), &error));
    fail_unless(graph != nullptr, "%s", error ? error->message : "no graph and no error");
    fail_unless(error == nullptr);
    return graph;
}

inline void check_refused(const std::string &json, const std::vector<std::string> &words) {
    GError *error = nullptr;
    const GraphRef graph(gst_tomo_graph_new_from_json(json.c_str(), &error));
    fail_unless(graph == nullptr, "accepted: %s", json.c_str());
    check_error(error, words);
}

inline void run(GstTomoGraph *graph) {
    GError *error = nullptr;
    const bool ok = gst_tomo_graph_run(graph, &error);
    fail_unless(ok, "%s", error ? error->message : "no error");
    fail_unless(error == nullptr);
}

inline void check_run_fails(GstTomoGraph *graph, const std::vector<std::string> &words) {
    GError *error = nullptr;
    fail_unless(!gst_tomo_graph_run(graph, &error));
    check_error(error, words);
}

// What arrives at a sink: the first value of each array.
class Values {
  public:
    Values(GstTomoGraph *graph, const char *node)
        : pad_(gst_element_get_static_pad(gst_tomo_graph_get_node(graph, node), "sink")) {
        gst_pad_add_probe(
            pad_.get(), GST_PAD_PROBE_TYPE_BUFFER,
            [](GstPad *, GstPadProbeInfo *info, gpointer self) {
                float value = 0;
                gst_buffer_extract(GST_PAD_PROBE_INFO_BUFFER(info), 0, &value, sizeof value);
                static_cast<Values *>(self)->values.push_back(value);
                return GST_PAD_PROBE_OK;
            },
            this, nullptr);
    }
    std::vector<float> values;

  private:
    tomo::ObjectRef<GstPad> pad_;
};

inline std::string node(const std::string &plugin, const std::string &name,
                        const std::string &properties = "") {
    return R"({"plugin": ")" + plugin + R"(", "name": ")" + name + "\"" +
           (properties.empty() ? "" : ", \"properties\": {" + properties + "}") + "}";
}

inline std::string edge(const std::string &from, const std::string &to, int input = 0) {
    return R"({"from": ")" + from + R"(", "to": ")" + to + R"(", "input": )" + std::to_string(input) + "}";
}

inline std::string json_of(const std::vector<std::string> &nodes, const std::vector<std::string> &edges) {
    auto joined = [](const std::vector<std::string> &items) {
        std::string all;
        for (const auto &item : items)
            all += (all.empty() ? "" : ",\n") + item;
        return all;
    };
    return "{\"nodes\": [\n" + joined(nodes) + "\n],\n\"edges\": [\n" + joined(edges) + "\n]}";
}

// `n` arrays of ones.
inline std::string ones(const std::string &name, unsigned n, unsigned width = 5, unsigned height = 3) {
    return node("dummy-data", name,
                tomo::text("\"number\": %u, \"width\": %u, \"height\": %u, \"init\": 1", n, width, height));
}

} // namespace tomotest
