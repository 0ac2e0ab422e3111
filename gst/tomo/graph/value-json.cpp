// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/graph/ufo.hpp>
#include <gst/tomo/graph/value-text.hpp>
#include <gst/tomo/graph/values.hpp>

#include <cmath>
#include <cstring>

namespace tomo {

static std::string shown(const Json &json) {
    std::string written = json.written(false);
    if (written.size() > 60) {
        written.resize(g_utf8_find_prev_char(written.c_str(), written.c_str() + 57) - written.c_str());
        written += "...";
    }
    return written;
}

static Value from_number(GParamSpec *spec, const Json &json) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    const std::string task = task_of(spec), &written = json.text();
    gint64 number = 0;
    if (json.is_integer() &&
        g_ascii_string_to_signed(written.c_str(), 10, G_MININT64, G_MAXINT64, &number, nullptr))
        if (const auto meant = ufo_choice(task, spec->name, number))
            return value_from_text(spec, *meant);
    if (is_number(type))
        return number_from_text(spec, written, written);
    if (type == G_TYPE_BOOLEAN && json.is_integer())
        return value_from_text(spec, written);
    if (!G_IS_PARAM_SPEC_ENUM(spec))
        refuse(spec, written);
    if (const std::string known = ufo_choices(task, spec->name); !known.empty())
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("property '%s' does not take %s; wanted %s, or a number of UFO's: %s", spec->name,
                         written.c_str(), describe_values(spec).c_str(), known.c_str()));
    if (!json.is_integer())
        refuse(spec, written);
    return choice_from_text(spec, written);
}

static Value list_from_json(GParamSpec *spec, const std::vector<Json> &items, const std::string &given) {
    Value list(GST_TYPE_ARRAY);
    auto *each = GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec;
    if (!each)
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("property '%s' does not tell what its list holds", spec->name));
    for (const Json &json : items) {
        Value item;
        try {
            item = value_from_json(each, json);
        } catch (const Error &) {
            refuse(spec, given);
        }
        gst_value_array_append_value(list.get(), item.get());
    }
    return in_range(spec, std::move(list), given);
}

// Structures of scalars and structures.
static GstStructure *structure_from_json(GParamSpec *spec, const Json &object) {
    std::unique_ptr<GstStructure, decltype(&gst_structure_free)> made(gst_structure_new_empty("value"),
                                                                      gst_structure_free);
    for (const auto &[key, json, place] : object.members()) {
        gint64 integer = 0;
        if (json.is(Json::Kind::text))
            gst_structure_set(made.get(), key.c_str(), G_TYPE_STRING, json.text().c_str(), nullptr);
        else if (json.is(Json::Kind::boolean))
            gst_structure_set(made.get(), key.c_str(), G_TYPE_BOOLEAN, json.is_true(), nullptr);
        else if (json.is_integer() &&
                 g_ascii_string_to_signed(json.text().c_str(), 10, G_MININT64, G_MAXINT64, &integer, nullptr))
            gst_structure_set(made.get(), key.c_str(), G_TYPE_INT64, integer, nullptr);
        else if (json.is(Json::Kind::number) && !json.is_integer())
            gst_structure_set(made.get(), key.c_str(), G_TYPE_DOUBLE,
                              g_ascii_strtod(json.text().c_str(), nullptr), nullptr);
        else if (json.is(Json::Kind::object)) {
            GValue value = G_VALUE_INIT;
            g_value_init(&value, GST_TYPE_STRUCTURE);
            g_value_take_boxed(&value, structure_from_json(spec, json));
            gst_structure_take_value(made.get(), key.c_str(), &value);
        } else
            refuse(spec, shown(json));
    }
    return made.release();
}

static Value object_from_json(GParamSpec *spec, const Json &object) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    if (type == GST_TYPE_STRUCTURE) {
        Value value(type);
        g_value_take_boxed(value.get(), structure_from_json(spec, object));
        return value;
    }
    const bool takes_element =
        g_type_is_a(type, GST_TYPE_ELEMENT) || type == GST_TYPE_OBJECT || type == G_TYPE_OBJECT;
    const std::string &plugin = object.text_of("plugin");
    if (!takes_element || plugin.empty())
        refuse(spec, shown(object));
    const auto element = ObjectRef<GstElement>(GST_ELEMENT(gst_object_ref_sink(make_element_of(plugin, ""))));
    for (const auto &[key, json, place] : object.members()) {
        if (key == "name" && json.is(Json::Kind::text))
            gst_object_set_name(GST_OBJECT(element.get()), json.text().c_str());
        else if (key == "properties" && json.is(Json::Kind::object))
            for (const auto &member : json.members())
                set_from_json(element.get(), member.key, member.value);
        else if (key != "plugin")
            graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX,
                        text("property '%s': unexpected key '%s' in a node", spec->name, key.c_str()));
    }
    if (!g_type_is_a(G_OBJECT_TYPE(element.get()), type))
        refuse(spec, text("a '%s'", plugin.c_str()));
    Value value(type);
    g_value_set_object(value.get(), element.get());
    return value;
}

Value value_from_json(GParamSpec *spec, const Json &json) {
    const bool takes_list = GST_IS_PARAM_SPEC_ARRAY_LIST(spec);
    switch (json.kind()) {
    case Json::Kind::null:
        refuse(spec, "null (leave the key out for the default)");
    case Json::Kind::list:
        if (!takes_list)
            refuse(spec, shown(json));
        return list_from_json(spec, json.items(), shown(json));
    case Json::Kind::object:
        return object_from_json(spec, json);
    case Json::Kind::text:
        return value_from_text(spec, json.text());
    case Json::Kind::boolean:
    case Json::Kind::number:
        break;
    }
    if (takes_list) // of one value
        return list_from_json(spec, {json}, shown(json));
    if (json.is(Json::Kind::number))
        return from_number(spec, json);
    const char *word = json.is_true() ? "true" : "false";
    if (G_IS_PARAM_SPEC_ENUM(spec) && enum_named(spec, word)) // that was a boolean once
        return value_from_text(spec, word);
    if (G_PARAM_SPEC_VALUE_TYPE(spec) != G_TYPE_BOOLEAN)
        refuse(spec, shown(json));
    Value value(G_TYPE_BOOLEAN);
    g_value_set_boolean(value.get(), json.is_true());
    return value;
}

// Back
// --------------------------------------------------------------------------------------------------------

std::optional<Json> value_to_json(GParamSpec *spec, const GValue *value) {
    const GType type = G_VALUE_TYPE(value);
    if (type == G_TYPE_FLOAT)
        return Json::number(g_value_get_float(value));
    if (type == G_TYPE_DOUBLE)
        return Json::number(g_value_get_double(value));
    if (type == G_TYPE_BOOLEAN)
        return Json::boolean(g_value_get_boolean(value));
    if (type == G_TYPE_STRING) {
        const char *written = g_value_get_string(value);
        if (!written || !g_utf8_validate(written, -1, nullptr))
            return {};
        return Json::text(written);
    }
    if (type == G_TYPE_UINT64 || type == G_TYPE_ULONG) {
        Value wide(G_TYPE_UINT64);
        g_value_transform(value, wide.get());
        return Json::integer(g_value_get_uint64(wide.get()));
    }
    if (is_integer(type)) {
        Value wide(G_TYPE_INT64);
        g_value_transform(value, wide.get());
        return Json::integer(g_value_get_int64(wide.get()));
    }
    if (G_TYPE_IS_ENUM(type)) {
        auto *klass = static_cast<GEnumClass *>(g_type_class_ref(type));
        const auto *found = g_enum_get_value(klass, g_value_get_enum(value));
        const auto json =
            found ? Json::text(found->value_nick) : Json::integer(gint64{g_value_get_enum(value)});
        g_type_class_unref(klass);
        return json;
    }
    if (type == GST_TYPE_ARRAY) {
        Json list = Json::list();
        for (guint i = 0; i < gst_value_array_get_size(value); i++) {
            auto item = value_to_json(spec, gst_value_array_get_value(value, i));
            if (!item)
                return {};
            list.add(std::move(*item));
        }
        return list;
    }
    const CString written(gst_value_serialize(value));
    return written ? std::optional<Json>(Json::text(written.get())) : std::nullopt;
}

static bool is_same(GParamSpec *spec, const GValue *a, const GValue *b) {
    if (G_VALUE_HOLDS_FLOAT(a) && std::isnan(g_value_get_float(a)) && std::isnan(g_value_get_float(b)))
        return true;
    if (G_VALUE_HOLDS_DOUBLE(a) && std::isnan(g_value_get_double(a)) && std::isnan(g_value_get_double(b)))
        return true;
    if (G_VALUE_HOLDS_OBJECT(a))
        return g_value_get_object(a) == g_value_get_object(b);
    if (gst_value_can_compare(a, b))
        return gst_value_compare(a, b) == GST_VALUE_EQUAL;
    return g_param_values_cmp(spec, a, b) == 0;
}

Json properties_to_json(GstElement *element) {
    Json result = Json::object();
    GstElementFactory *factory = gst_element_get_factory(element);
    const ObjectRef<GstElement> fresh(
        factory ? GST_ELEMENT(gst_object_ref_sink(gst_element_factory_create(factory, nullptr))) : nullptr);
    if (!fresh)
        return result;
    for (GParamSpec *spec : settable_properties(G_OBJECT_GET_CLASS(element))) {
        if (!(spec->flags & G_PARAM_READABLE) || (spec->flags & G_PARAM_DEPRECATED))
            continue;
        Value set(G_PARAM_SPEC_VALUE_TYPE(spec)), usual(G_PARAM_SPEC_VALUE_TYPE(spec));
        g_object_get_property(G_OBJECT(element), spec->name, set.get());
        g_object_get_property(G_OBJECT(fresh.get()), spec->name, usual.get());
        if (is_same(spec, set.get(), usual.get()))
            continue;
        auto json = value_to_json(spec, set.get());
        if (!json)
            graph_error(
                GST_TOMO_GRAPH_ERROR_VALUE,
                text("node '%s': property '%s' holds a value of type %s, which can't be written as JSON",
                     GST_OBJECT_NAME(element), spec->name, G_VALUE_TYPE_NAME(set.get())));
        result.set(spec->name, std::move(*json));
    }
    return result;
}

static void set(GstElement *element, GParamSpec *spec, const Value &value) {
    if (const auto *own = element_of(element))
        for (const auto *property : own->properties())
            if (std::strcmp(property->name(), spec->name) == 0)
                own->check_may_change(*property);
    g_object_set_property(G_OBJECT(element), spec->name, value.get());
}

void set_from_text(GstElement *element, const std::string &property, const std::string &written) {
    GParamSpec *spec = require_property(element, property);
    set(element, spec, value_from_text(spec, written));
}

void set_from_json(GstElement *element, const std::string &property, const Json &json) {
    GParamSpec *spec = require_property(element, property);
    set(element, spec, value_from_json(spec, json));
}

} // namespace tomo
