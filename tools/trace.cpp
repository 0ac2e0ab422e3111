// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#define GST_USE_UNSTABLE_API
#include "trace.hpp"

#include <gst/gst.h>
#include <gst/gsttracer.h>
#include <json-glib/json-glib.h>

#include <memory>
#include <mutex>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

struct Span {
    std::string name;
    GstClockTime begin, end;
    long thread;
};

struct Records {
    std::mutex lock;
    std::vector<Span> spans;
};
std::mutex current_lock;
std::shared_ptr<Records> current;

std::shared_ptr<Records> records() {
    std::lock_guard<std::mutex> lock(current_lock);
    return current;
}

void record(std::string name, GstClockTime begin, GstClockTime end) {
    if (const auto r = records()) {
        std::lock_guard<std::mutex> lock(r->lock);
        r->spans.push_back({std::move(name), begin, end, syscall(SYS_gettid)});
    }
}

// What this thread is in the middle of: an element works on what was pushed to it until the push returns.
struct Open {
    std::string name;
    GstClockTime begin;
};
thread_local std::vector<Open> open_spans;
// A source works from the end of one push to the next one.
thread_local GstClockTime source_since = GST_CLOCK_TIME_NONE;

GstElement *element_of(GstPad *pad) {
    GstObject *parent = pad ? GST_OBJECT_PARENT(pad) : nullptr;
    return GST_IS_ELEMENT(parent) ? GST_ELEMENT(parent) : nullptr;
}

bool is_source(GstPad *pad) {
    GstElement *element = element_of(pad);
    return element && GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SOURCE);
}

void push_begins(GstTracer *, GstClockTime time, GstPad *pad, GstBuffer *) {
    if (is_source(pad) && GST_CLOCK_TIME_IS_VALID(source_since))
        record(GST_OBJECT_NAME(element_of(pad)), source_since, time);
    GstPad *peer = gst_pad_get_peer(pad);
    GstElement *element = element_of(peer);
    open_spans.push_back({element ? GST_OBJECT_NAME(element) : "?", time});
    if (peer)
        gst_object_unref(peer);
}

void push_ended(GstTracer *, GstClockTime time, GstPad *pad, GstFlowReturn) {
    if (!open_spans.empty()) {
        record(std::move(open_spans.back().name), open_spans.back().begin, time);
        open_spans.pop_back();
    }
    if (is_source(pad))
        source_since = time;
}

struct TomoTracer {
    GstTracer parent;
};
struct TomoTracerClass {
    GstTracerClass parent;
};
G_DEFINE_TYPE(TomoTracer, tomo_tracer, GST_TYPE_TRACER)

void tomo_tracer_class_init(TomoTracerClass *) {}

void tomo_tracer_init(TomoTracer *self) {
    gst_tracing_register_hook(GST_TRACER(self), "pad-push-pre", G_CALLBACK(push_begins));
    gst_tracing_register_hook(GST_TRACER(self), "pad-push-post", G_CALLBACK(push_ended));
}

} // namespace

namespace tool {

Trace::Trace() : file_("trace." + std::to_string(getpid()) + ".json") {
    // Hooks can't be taken back: there is one tracer, which does nothing without a record.
    static GstTracer *const tracer =
        GST_TRACER(gst_object_ref_sink(g_object_new(tomo_tracer_get_type(), nullptr)));
    (void)tracer;
    std::lock_guard<std::mutex> lock(current_lock);
    current = std::make_shared<Records>();
}

Trace::~Trace() {
    std::lock_guard<std::mutex> lock(current_lock);
    current.reset();
}

bool Trace::write() const {
    const std::unique_ptr<JsonBuilder, decltype(&g_object_unref)> builder(json_builder_new(), g_object_unref);
    JsonBuilder *b = builder.get();
    auto number = [&](const char *key, double value) {
        json_builder_set_member_name(b, key);
        json_builder_add_double_value(b, value);
    };
    auto text = [&](const char *key, const char *value) {
        json_builder_set_member_name(b, key);
        json_builder_add_string_value(b, value);
    };
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "traceEvents");
    json_builder_begin_array(b);
    const auto r = records();
    {
        std::lock_guard<std::mutex> lock(r->lock);
        for (const auto &span : r->spans) {
            json_builder_begin_object(b);
            text("name", span.name.c_str());
            text("ph", "X");
            number("ts", span.begin / 1000.0); // microseconds
            number("dur", (span.end - span.begin) / 1000.0);
            json_builder_set_member_name(b, "pid");
            json_builder_add_int_value(b, getpid());
            json_builder_set_member_name(b, "tid");
            json_builder_add_int_value(b, span.thread);
            json_builder_end_object(b);
        }
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    JsonNode *root = json_builder_get_root(b);
    gchar *json = json_to_string(root, FALSE);
    const bool written = g_file_set_contents(file_.c_str(), json, -1, nullptr);
    g_free(json);
    json_node_unref(root);
    return written;
}

} // namespace tool
