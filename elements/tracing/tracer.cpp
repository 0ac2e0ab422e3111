// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The tracer `tomotrace`: GST_TRACERS=tomotrace, or GST_TRACERS="tomotrace(file=trace.json)". Its name is not
// `tomo`, the plugin's: gst-inspect-1.0 prefers features to plugins, and would not list the elements.
#define GST_USE_UNSTABLE_API // GstTracer

#include "tracer.hpp"

#include "activity.hpp"

#include <gst/tomo/support/error.hpp>

#include <gst/gsttracer.h>

using namespace tomo;

struct GstTomoTracer {
    GstTracer parent;
    Activity *activity; // the recorder owns it; null where there is one already
};
struct GstTomoTracerClass {
    GstTracerClass parent;
};
G_DEFINE_TYPE(GstTomoTracer, gst_tomo_tracer, GST_TYPE_TRACER)

static Activity &activity_of(GObject *self) { return *reinterpret_cast<GstTomoTracer *>(self)->activity; }

// Tracers have no bus: what is wrong is said here.
static void complain(const std::string &what) { g_printerr("tracer tomotrace: %s\n", what.c_str()); }

static std::unique_ptr<TraceFile> open_trace_file(const char *parameters) {
    if (!parameters || !*parameters)
        return nullptr;
    const std::unique_ptr<GstStructure, decltype(&gst_structure_free)> given(
        gst_structure_from_string(text("tomotrace,%s", parameters).c_str(), nullptr), gst_structure_free);
    if (!given) {
        complain(text("can't understand (%s); wanted (file=NAME.json)", parameters));
        return nullptr;
    }
    for (int i = 0; i < gst_structure_n_fields(given.get()); i++) {
        const char *name = gst_structure_nth_field_name(given.get(), i);
        if (g_strcmp0(name, "file") != 0)
            complain(text("there is no parameter '%s'; there is 'file'", name));
    }
    if (!gst_structure_has_field(given.get(), "file"))
        return nullptr;
    const char *path = gst_structure_get_string(given.get(), "file");
    if (!path) {
        complain(text("file in (%s) is no name; put it between quotation marks", parameters));
        return nullptr;
    }
    return std::make_unique<TraceFile>(path);
}

static void print_report(Activity &activity, const GstObject *top) noexcept {
    try {
        const auto table = activity.report(top);
        if (!table.empty())
            g_printerr("\ntracer tomotrace%s%s\n%s", top ? ", " : "", top ? GST_OBJECT_NAME(top) : "",
                       table.c_str());
    } catch (const std::exception &e) {
        complain(e.what());
    }
}

static void push_pre(GObject *self, GstClockTime, GstPad *pad, GstBuffer *) {
    activity_of(self).enter(pad, 1);
}
static void push_post(GObject *self, GstClockTime, GstPad *pad, GstFlowReturn) {
    activity_of(self).leave(pad);
}
static void push_list_pre(GObject *self, GstClockTime, GstPad *pad, GstBufferList *list) {
    activity_of(self).enter(pad, gst_buffer_list_length(list));
}
static void push_event_pre(GObject *self, GstClockTime, GstPad *pad, GstEvent *) {
    activity_of(self).enter(pad, 0);
}
static void push_event_post(GObject *self, GstClockTime, GstPad *pad, gboolean) {
    activity_of(self).leave(pad);
}

// Then its elements have let go of their devices, and all commands have ended.
static void state_post(GObject *self, GstClockTime, GstElement *element, GstStateChange change,
                       GstStateChangeReturn) {
    if (change == GST_STATE_CHANGE_READY_TO_NULL && !GST_OBJECT_PARENT(element))
        print_report(activity_of(self), GST_OBJECT_CAST(element));
}

static void gst_tomo_tracer_constructed(GObject *object) {
    G_OBJECT_CLASS(gst_tomo_tracer_parent_class)->constructed(object);
    auto *self = reinterpret_cast<GstTomoTracer *>(object);
    if (is_recording()) {
        complain("it is there already; name it once in GST_TRACERS");
        return;
    }
    gchar *parameters = nullptr;
    g_object_get(object, "params", &parameters, nullptr);
    std::unique_ptr<TraceFile> file;
    try {
        file = open_trace_file(parameters);
    } catch (const std::exception &e) {
        complain(e.what());
    }
    g_free(parameters);
    const auto activity = std::make_shared<Activity>(std::move(file));
    self->activity = activity.get();
    set_recorder(activity);

    auto *tracer = GST_TRACER_CAST(self);
    gst_tracing_register_hook(tracer, "pad-push-pre", G_CALLBACK(push_pre));
    gst_tracing_register_hook(tracer, "pad-push-post", G_CALLBACK(push_post));
    gst_tracing_register_hook(tracer, "pad-push-list-pre", G_CALLBACK(push_list_pre));
    gst_tracing_register_hook(tracer, "pad-push-list-post", G_CALLBACK(push_post));
    gst_tracing_register_hook(tracer, "pad-push-event-pre", G_CALLBACK(push_event_pre));
    gst_tracing_register_hook(tracer, "pad-push-event-post", G_CALLBACK(push_event_post));
    gst_tracing_register_hook(tracer, "element-change-state-post", G_CALLBACK(state_post));
}

static void gst_tomo_tracer_finalize(GObject *object) {
    if (auto *activity = reinterpret_cast<GstTomoTracer *>(object)->activity) {
        print_report(*activity, nullptr);
        set_recorder(nullptr);
    }
    G_OBJECT_CLASS(gst_tomo_tracer_parent_class)->finalize(object);
}

static void gst_tomo_tracer_init(GstTomoTracer *) {}

static void gst_tomo_tracer_class_init(GstTomoTracerClass *klass) {
    G_OBJECT_CLASS(klass)->constructed = gst_tomo_tracer_constructed;
    G_OBJECT_CLASS(klass)->finalize = gst_tomo_tracer_finalize;
}

gboolean tomo_register_tracer(GstPlugin *plugin) {
    return gst_tracer_register(plugin, "tomotrace", gst_tomo_tracer_get_type());
}
