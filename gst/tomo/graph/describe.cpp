// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/property.hpp>
#include <gst/tomo/graph/values.hpp>

#include <type_traits>

namespace tomo {

namespace {

Json text_or_empty(const char *value) { return Json::text(value ? value : ""); }

Json words(const char *list) {
    Json json = Json::list();
    const std::unique_ptr<char *, decltype(&g_strfreev)> parts(g_strsplit(list ? list : "", " ", -1),
                                                               g_strfreev);
    for (char **part = parts.get(); *part; part++)
        if (**part)
            json.add(Json::text(*part));
    return json;
}

Json pads(GstElement *element, GstPadDirection direction) {
    Json json = Json::list();
    for (GList *i = gst_element_class_get_pad_template_list(GST_ELEMENT_GET_CLASS(element)); i; i = i->next)
        if (GST_PAD_TEMPLATE_DIRECTION(i->data) == direction)
            json.add(Json::text(GST_PAD_TEMPLATE_NAME_TEMPLATE(i->data)));
    return json;
}

const char *type_name(GParamSpec *spec) {
    switch (G_PARAM_SPEC_VALUE_TYPE(spec)) {
    case G_TYPE_BOOLEAN:
        return "boolean";
    case G_TYPE_INT:
    case G_TYPE_UINT:
    case G_TYPE_INT64:
    case G_TYPE_UINT64:
    case G_TYPE_LONG:
    case G_TYPE_ULONG:
        return "integer";
    case G_TYPE_FLOAT:
    case G_TYPE_DOUBLE:
        return "number";
    case G_TYPE_STRING:
        return "string";
    default:
        return G_IS_PARAM_SPEC_ENUM(spec)           ? "enum"
               : GST_IS_PARAM_SPEC_ARRAY_LIST(spec) ? "array"
                                                    : g_type_name(G_PARAM_SPEC_VALUE_TYPE(spec));
    }
}

// What the element itself finds out, and others may be bound to.
Json results(GObjectClass *klass, GType own) {
    Json json = Json::list();
    guint count = 0;
    const std::unique_ptr<GParamSpec *, Free> all(g_object_class_list_properties(klass, &count));
    for (guint i = 0; i < count; i++) {
        GParamSpec *spec = all.get()[i];
        if (spec->owner_type != own || (spec->flags & G_PARAM_READWRITE) != G_PARAM_READABLE)
            continue;
        Json result = Json::object();
        result.set("name", Json::text(spec->name));
        result.set("type", Json::text(type_name(spec)));
        result.set("description", text_or_empty(g_param_spec_get_blurb(spec)));
        json.add(std::move(result));
    }
    return json;
}

// Where the range is narrower than that of the type.
template <class Spec, class Number>
void set_limits(Json &json, GParamSpec *spec, Number lowest, Number highest) {
    const auto *s = reinterpret_cast<Spec *>(spec);
    const Number least = s->minimum, most = s->maximum;
    auto written = [](Number value) {
        if constexpr (std::is_floating_point_v<Number>)
            return Json::number(value);
        else
            return Json::integer(value);
    };
    if (least != lowest)
        json.set("minimum", written(least));
    if (most != highest)
        json.set("maximum", written(most));
}

Json choices(const GEnumClass *klass) {
    Json json = Json::list();
    for (guint i = 0; i < klass->n_values; i++) {
        Json choice = Json::object();
        choice.set("name", Json::text(klass->values[i].value_nick));
        choice.set("description", Json::text(klass->values[i].value_name));
        json.add(std::move(choice));
    }
    return json;
}

Json property(GParamSpec *spec, bool own) {
    Json json = Json::object();
    json.set("name", Json::text(spec->name));
    json.set("type", Json::text(type_name(spec)));
    json.set("default", value_to_json(spec, g_param_spec_get_default_value(spec)).value_or(Json()));
    json.set("values", Json::text(describe_values(spec)));
    json.set("description", text_or_empty(g_param_spec_get_blurb(spec)));
    json.set("own", Json::boolean(own));
    json.set("live", Json::boolean(spec->flags & (GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE)));
    if (G_IS_PARAM_SPEC_INT(spec))
        set_limits<GParamSpecInt, gint64>(json, spec, G_MININT, G_MAXINT);
    else if (G_IS_PARAM_SPEC_UINT(spec))
        set_limits<GParamSpecUInt, gint64>(json, spec, -1, G_MAXUINT);
    else if (G_IS_PARAM_SPEC_FLOAT(spec))
        set_limits<GParamSpecFloat, float>(json, spec, -G_MAXFLOAT, G_MAXFLOAT);
    else if (G_IS_PARAM_SPEC_DOUBLE(spec))
        set_limits<GParamSpecDouble, double>(json, spec, -G_MAXDOUBLE, G_MAXDOUBLE);
    if (const auto open = automatic_values(spec); !open.empty()) {
        Json ranges = Json::list();
        for (const auto &range : open) {
            Json limits = Json::object();
            limits.set("minimum", Json::number(range.min));
            limits.set("maximum", Json::number(range.max));
            ranges.add(std::move(limits));
        }
        json.set("automatic", std::move(ranges));
    }
    if (G_IS_PARAM_SPEC_ENUM(spec))
        json.set("choices", choices(G_PARAM_SPEC_ENUM(spec)->enum_class));
    return json;
}

} // namespace

Json describe_task(const std::string &plugin) {
    const auto factory = require_factory(plugin);
    const ObjectRef<GstElement> element(GST_ELEMENT(gst_object_ref_sink(make_element_of(plugin, ""))));
    auto *klass = GST_ELEMENT_GET_CLASS(element.get());
    Json json = Json::object();
    if (const char *task = gst_element_factory_get_metadata(factory.get(), "tomo-task"))
        json.set("task", Json::text(task));
    json.set("element", Json::text(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory.get()))));
    json.set("description", text_or_empty(gst_element_factory_get_metadata(
                                factory.get(), GST_ELEMENT_METADATA_DESCRIPTION)));
    json.set("class",
             text_or_empty(gst_element_factory_get_metadata(factory.get(), GST_ELEMENT_METADATA_KLASS)));
    json.set("inputs", pads(element.get(), GST_PAD_SINK));
    json.set("optional-inputs", words(gst_element_class_get_metadata(klass, "tomo-optional-inputs")));
    json.set("outputs", pads(element.get(), GST_PAD_SRC));
    json.set("optional-outputs", words(gst_element_class_get_metadata(klass, "tomo-optional-outputs")));
    // Those of the task first, then those it shares with others.
    const auto specs = settable_properties(G_OBJECT_CLASS(klass));
    Json properties = Json::list();
    for (const bool own : {true, false})
        for (auto *spec : specs)
            if ((spec->owner_type == G_OBJECT_TYPE(element.get())) == own)
                properties.add(property(spec, own));
    json.set("properties", std::move(properties));
    json.set("results", results(G_OBJECT_CLASS(klass), G_OBJECT_TYPE(element.get())));
    return json;
}

} // namespace tomo
