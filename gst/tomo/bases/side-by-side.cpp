// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/filter.hpp>
#include <gst/tomo/bases/joiner.hpp>
#include <gst/tomo/bases/reducer.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/bases/sink.hpp>
#include <gst/tomo/bases/source-bin.hpp>
#include <gst/tomo/bases/source.hpp>

namespace tomo {

// Of an element of GStreamer or of others.
static std::string why_not_foreign(GstElement *element) {
    const auto *factory = gst_element_get_factory(element);
    const std::string name = factory ? GST_OBJECT_NAME(factory) : "";
    if (name == "capsfilter")
        return {};
    if (name == "queue") {
        gint leaky = 0;
        g_object_get(element, "leaky", &leaky, nullptr);
        return leaky ? "leaves arrays out where it is full (leaky)" : "";
    }
    if (GST_IS_BIN(element))
        return "is a bin, and nobody knows what its elements keep of earlier arrays";
    if (GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SOURCE))
        return "is a source";
    if (GST_OBJECT_FLAG_IS_SET(element, GST_ELEMENT_FLAG_SINK))
        return "is a sink";
    return "is no element of gst-tomo, and nobody knows what it keeps of earlier arrays";
}

std::string why_not_side_by_side(GstElement *element) {
    const auto *ours = element_of(element);
    if (!ours)
        return why_not_foreign(element);
    if (dynamic_cast<const Source *>(ours) || dynamic_cast<const SourceBin *>(ours))
        return "is a source";
    if (dynamic_cast<const Sink *>(ours))
        return "is a sink";
    if (dynamic_cast<const Reducer *>(ours) || dynamic_cast<const JoiningReducer *>(ours))
        return "does not give one array for each (it is a reducer)";
    if (dynamic_cast<const Joiner *>(ours))
        return "joins several inputs";
    if (const auto *keeps = dynamic_cast<const WithHistory *>(ours))
        if (const auto history = keeps->history(); !history.empty())
            return "depends on earlier arrays: " + history;
    if (!dynamic_cast<const Filter *>(ours))
        return "is no filter that computes each array by itself";
    return {};
}

WithCopies *with_copies(GstElement *element) { return dynamic_cast<WithCopies *>(element_of(element)); }

ObjectRef<GstElement> runner_of_copies(GstElement *original) {
    const ObjectRef<GstObject> bin(gst_object_get_parent(GST_OBJECT(original)));
    ObjectRef<GstObject> around(bin ? gst_object_get_parent(bin.get()) : nullptr);
    const auto *runner = GST_IS_ELEMENT(around.get()) ? with_copies(GST_ELEMENT(around.get())) : nullptr;
    if (runner)
        for (const auto &each : runner->originals())
            if (each.get() == original)
                return ObjectRef<GstElement>(GST_ELEMENT(around.release()));
    return {};
}

static GQuark original_quark() {
    static const GQuark quark = g_quark_from_static_string("tomo-original");
    return quark;
}

GstElement *original_of(GstElement *copy) {
    return static_cast<GstElement *>(g_object_get_qdata(G_OBJECT(copy), original_quark()));
}

void set_original(GstElement *copy, GstElement *original) {
    g_object_set_qdata_full(G_OBJECT(copy), original_quark(), gst_object_ref(original), gst_object_unref);
}

} // namespace tomo
