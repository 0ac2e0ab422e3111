// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline-facts.hpp"

#include <gst/tomo/debug.hpp>
#include <gst/tomo/element.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/scan.hpp>

#include <algorithm>

#define GST_CAT_DEFAULT tomo::element_debug()

namespace tomo::io {

namespace {

using CString = std::unique_ptr<gchar, decltype(&g_free)>;

ObjectRef<GstElement> outermost(GstElement *element) {
    auto top = ObjectRef<GstElement>::referenced(element);
    for (GstObject *parent; (parent = gst_object_get_parent(GST_OBJECT(top.get())));)
        top = ObjectRef<GstElement>(GST_ELEMENT(parent));
    return top;
}

// Sources first. What is in plain bins as well; a bin with a purpose is an element like any other.
std::vector<ObjectRef<GstElement>> elements_of(GstElement *top) {
    std::vector<ObjectRef<GstElement>> elements;
    if (const auto type = G_OBJECT_TYPE(top); type != GST_TYPE_BIN && type != GST_TYPE_PIPELINE)
        return {ObjectRef<GstElement>::referenced(top)};
    const std::unique_ptr<GstIterator, decltype(&gst_iterator_free)> sorted(
        gst_bin_iterate_sorted(GST_BIN(top)), gst_iterator_free);
    GValue item = G_VALUE_INIT;
    for (;;) {
        const auto step = gst_iterator_next(sorted.get(), &item);
        if (step == GST_ITERATOR_RESYNC) {
            elements.clear();
            gst_iterator_resync(sorted.get());
            continue;
        }
        if (step != GST_ITERATOR_OK)
            break;
        for (auto &inner : elements_of(GST_ELEMENT(g_value_get_object(&item))))
            elements.push_back(std::move(inner));
        g_value_reset(&item);
    }
    if (G_IS_VALUE(&item))
        g_value_unset(&item);
    std::reverse(elements.begin(), elements.end());
    return elements;
}

StepFacts::Parameter parameter_of(const GValue *value) {
    GValue number = G_VALUE_INIT;
    if (G_VALUE_HOLDS_BOOLEAN(value))
        return static_cast<bool>(g_value_get_boolean(value));
    if (G_VALUE_HOLDS_STRING(value))
        return std::string(g_value_get_string(value) ? g_value_get_string(value) : "");
    if (G_VALUE_HOLDS_FLOAT(value) || G_VALUE_HOLDS_DOUBLE(value)) {
        g_value_init(&number, G_TYPE_DOUBLE);
        g_value_transform(value, &number);
        return g_value_get_double(&number);
    }
    if (!G_VALUE_HOLDS_ENUM(value) && !G_VALUE_HOLDS_UINT64(value) &&
        g_value_type_transformable(G_VALUE_TYPE(value), G_TYPE_INT64)) {
        g_value_init(&number, G_TYPE_INT64);
        g_value_transform(value, &number);
        return static_cast<std::int64_t>(g_value_get_int64(&number));
    }
    const CString written(gst_value_serialize(value), g_free);
    return std::string(written ? written.get() : "");
}

StepFacts step_of(GstElement *element) {
    StepFacts step;
    step.name = GST_OBJECT_NAME(element);
    auto *factory = gst_element_get_factory(element);
    step.plugin = factory ? GST_OBJECT_NAME(factory) : G_OBJECT_TYPE_NAME(element);
    const auto *task = gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(element), "tomo-task");
    step.task = task ? task : "";
    guint count = 0;
    const std::unique_ptr<GParamSpec *, decltype(&g_free)> specs(
        g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count), g_free);
    for (guint i = 0; i < count; i++) {
        const auto *spec = specs.get()[i];
        const std::string name = spec->name;
        // Objects and pointers are nothing that could be set again.
        if (!(spec->flags & G_PARAM_READABLE) || !(spec->flags & G_PARAM_WRITABLE) || name == "name" ||
            name == "parent" || g_type_is_a(spec->value_type, G_TYPE_OBJECT) ||
            g_type_is_a(spec->value_type, G_TYPE_POINTER))
            continue;
        GValue value = G_VALUE_INIT;
        g_value_init(&value, spec->value_type);
        g_object_get_property(G_OBJECT(element), spec->name, &value);
        step.parameters.emplace_back(name, parameter_of(&value));
        g_value_unset(&value);
    }
    return step;
}

// What a source reads: property and path.
std::vector<std::pair<std::string, std::string>> inputs_of(GstElement *element, const StepFacts &step) {
    static constexpr const char *names[] = {"path", "location", "darks", "flats", "flats-after", "angles"};
    std::vector<std::pair<std::string, std::string>> inputs;
    if (element->numsinkpads > 0)
        return inputs;
    for (const auto *name : names)
        for (const auto &[key, value] : step.parameters)
            if (const auto *path = std::get_if<std::string>(&value); key == name && path && !path->empty())
                inputs.emplace_back(name, *path);
    return inputs;
}

InputFacts digest_or_reason(const std::string &path, DigestOf what) {
    try {
        return digest_input(path, what);
    } catch (const Error &error) {
        auto facts = digest_input(path, DigestOf::Nothing);
        facts.method = std::string("none: ") + error.what();
        return facts;
    }
}

gboolean find_scan(GstPad *, GstEvent **event, gpointer pixel_size) {
    if (gst_event_is_tomo_scan(*event))
        *static_cast<double *>(pixel_size) = Scan(*event).pixel_size;
    return TRUE;
}

} // namespace

ResultFacts facts_of_pipeline(GstElement *element, DigestOf inputs) {
    ResultFacts facts;
    const auto top = outermost(element);
    GError *error = nullptr;
    const CString json(gst_tomo_describe_pipeline(top.get(), &error), g_free);
    if (json)
        facts.pipeline = json.get();
    else
        GST_WARNING_OBJECT(element, "the result will not say how to make it again: %s", error->message);
    g_clear_error(&error);
    facts.folder = CString(g_get_current_dir(), g_free).get();
    facts.version = VERSION;
    facts.gstreamer = CString(gst_version_string(), g_free).get();
    for (const auto &each : elements_of(top.get())) {
        facts.steps.push_back(step_of(each.get()));
        auto *ours = element_of(each.get());
        if (ours && ours->needs_device() && facts.device.empty()) {
            facts.device = ours->device()->name();
            facts.driver = ours->device()->driver();
        }
        for (const auto &[property, path] : inputs_of(each.get(), facts.steps.back())) {
            auto input = digest_or_reason(path, inputs);
            input.name = facts.steps.back().name +
                         (property == "path" || property == "location" ? "" : "_" + property);
            facts.inputs.push_back(std::move(input));
        }
    }
    const std::unique_ptr<GstPad, decltype(&gst_object_unref)> pad(
        gst_element_get_static_pad(element, "sink"), gst_object_unref);
    gst_pad_sticky_events_foreach(pad.get(), find_scan, &facts.pixel_size);
    return facts;
}

} // namespace tomo::io
