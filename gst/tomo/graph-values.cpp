// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph-values.hpp>

#include <cmath>

namespace tomo {

// Description
// ------------------------------------------------------------------------------------------------

static std::string number_text(double v) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    for (const char *format : {"%.6g", "%.9g", "%.17g"}) {
        g_ascii_formatd(digits, sizeof digits, format, v);
        if (g_ascii_strtod(digits, nullptr) == v || std::string(format) == "%.17g")
            break;
    }
    return digits;
}

template <class Spec>
static std::string range_text(const char *what, GParamSpec *spec, double min, double max) {
    const auto *s = reinterpret_cast<Spec *>(spec);
    const double low = s->minimum, high = s->maximum;
    if (low <= min && high >= max)
        return what;
    if (high >= max)
        return text("%s, at least %s", what, number_text(low).c_str());
    if (low <= min)
        return text("%s, at most %s", what, number_text(high).c_str());
    return text("%s from %s to %s", what, number_text(low).c_str(), number_text(high).c_str());
}

std::string describe_values(GParamSpec *spec) {
    if (G_IS_PARAM_SPEC_BOOLEAN(spec))
        return "true or false";
    if (G_IS_PARAM_SPEC_INT(spec))
        return range_text<GParamSpecInt>("an integer", spec, G_MININT, G_MAXINT);
    if (G_IS_PARAM_SPEC_UINT(spec))
        return range_text<GParamSpecUInt>("an integer", spec, -1, G_MAXUINT);
    if (G_IS_PARAM_SPEC_INT64(spec))
        return range_text<GParamSpecInt64>("an integer", spec, G_MININT64, G_MAXINT64);
    if (G_IS_PARAM_SPEC_UINT64(spec))
        return range_text<GParamSpecUInt64>("an integer", spec, -1, G_MAXUINT64);
    if (G_IS_PARAM_SPEC_FLOAT(spec))
        return range_text<GParamSpecFloat>("a number", spec, -G_MAXFLOAT, G_MAXFLOAT);
    if (G_IS_PARAM_SPEC_DOUBLE(spec))
        return range_text<GParamSpecDouble>("a number", spec, -double{G_MAXFLOAT}, G_MAXFLOAT);
    if (G_IS_PARAM_SPEC_STRING(spec))
        return "text";
    if (G_IS_PARAM_SPEC_ENUM(spec)) {
        const auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
        std::string words = "one of ";
        for (guint i = 0; i < klass->n_values; i++)
            words += (i ? ", " : "") + std::string(klass->values[i].value_nick);
        return words;
    }
    if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec)) {
        auto *each = GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec;
        return each ? "a list, each " + describe_values(each) : "a list";
    }
    return text("a value of type %s", g_type_name(G_PARAM_SPEC_VALUE_TYPE(spec)));
}

[[noreturn]] static void refuse(GParamSpec *spec, const std::string &given) {
    graph_error(GST_TOMO_GRAPH_ERROR_VALUE, text("property '%s' does not take %s; wanted %s", spec->name,
                                                 given.c_str(), describe_values(spec).c_str()));
}

// Numbers
// -----------------------------------------------------------------------------------------------------

// What GObject would silently move into the range, or refuse with a line in the log.
static Value in_range(GParamSpec *spec, Value value, const std::string &given) {
    if (g_param_value_validate(spec, value.get()))
        refuse(spec, given);
    return value;
}

static bool is_integer(GType type) {
    return type == G_TYPE_INT || type == G_TYPE_UINT || type == G_TYPE_INT64 || type == G_TYPE_UINT64 ||
           type == G_TYPE_LONG || type == G_TYPE_ULONG;
}

static bool is_number(GType type) {
    return is_integer(type) || type == G_TYPE_FLOAT || type == G_TYPE_DOUBLE;
}

// The integer that `given` is exactly, into one of the integer types.
static Value integer_value(GParamSpec *spec, bool negative, guint64 magnitude, const std::string &given) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    Value value(type);
    auto fits = [&](guint64 max, guint64 lowest) { return magnitude <= (negative ? lowest : max); };
    const auto signed_value = static_cast<gint64>(negative ? 0 - magnitude : magnitude);
    bool ok = true;
    if (type == G_TYPE_INT && (ok = fits(G_MAXINT, guint64{G_MAXINT} + 1)))
        g_value_set_int(value.get(), signed_value);
    else if (type == G_TYPE_UINT && (ok = fits(G_MAXUINT, 0)))
        g_value_set_uint(value.get(), magnitude);
    else if (type == G_TYPE_INT64 && (ok = fits(G_MAXINT64, guint64{G_MAXINT64} + 1)))
        g_value_set_int64(value.get(), signed_value);
    else if (type == G_TYPE_UINT64 && (ok = fits(G_MAXUINT64, 0)))
        g_value_set_uint64(value.get(), magnitude);
    else if (type == G_TYPE_LONG && (ok = fits(G_MAXLONG, guint64{G_MAXLONG} + 1)))
        g_value_set_long(value.get(), signed_value);
    else if (type == G_TYPE_ULONG && (ok = fits(G_MAXULONG, 0)))
        g_value_set_ulong(value.get(), magnitude);
    if (!ok)
        refuse(spec, given);
    return in_range(spec, std::move(value), given);
}

static Value number_value(GParamSpec *spec, double number, const std::string &given) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    if (is_integer(type)) {
        if (!(std::abs(number) < 0x1p64) || number != std::floor(number))
            refuse(spec, given);
        return integer_value(spec, number < 0, static_cast<guint64>(std::abs(number)), given);
    }
    Value value(type);
    if (type == G_TYPE_FLOAT) {
        if (std::isfinite(number) && std::abs(number) > G_MAXFLOAT)
            refuse(spec, given);
        g_value_set_float(value.get(), number);
    } else {
        g_value_set_double(value.get(), number);
    }
    // Ranges hold no NaN; as GObject says nothing about it, properties that use it for "not set" get it.
    return std::isnan(number) ? std::move(value) : in_range(spec, std::move(value), given);
}

// Text
// --------------------------------------------------------------------------------------------------------

static std::string stripped(const std::string &s) {
    const auto first = s.find_first_not_of(" \t"), last = s.find_last_not_of(" \t");
    return first == std::string::npos ? "" : s.substr(first, last - first + 1);
}

static Value number_from_text(GParamSpec *spec, const std::string &written) {
    const std::string given = "'" + written + "'", digits = stripped(written);
    char *end = nullptr;
    if (digits.empty())
        refuse(spec, given);
    if (is_integer(G_PARAM_SPEC_VALUE_TYPE(spec))) {
        const bool negative = digits[0] == '-';
        const std::string magnitude = digits.substr(negative || digits[0] == '+');
        errno = 0;
        if (!magnitude.empty() && g_ascii_isdigit(magnitude[0])) {
            const bool is_hex = magnitude.size() > 2 && (magnitude[1] == 'x' || magnitude[1] == 'X');
            const guint64 n = g_ascii_strtoull(magnitude.c_str(), &end, is_hex ? 16 : 10);
            if (*end == 0 && errno == 0)
                return integer_value(spec, negative, n, given);
        }
    }
    const double number = g_ascii_strtod(digits.c_str(), &end);
    if (*end != 0)
        refuse(spec, given);
    return number_value(spec, number, given);
}

// How many brackets are open behind `at`.
static int deeper(const std::string &items, std::size_t at, int depth) {
    const char c = items[at];
    return depth + (c == '<' || c == '[' ? 1 : c == '>' || c == ']' ? -1 : 0);
}

// The end of the item that begins there: the next comma outside of a list in the list.
static std::size_t end_of_item(const std::string &items, std::size_t at) {
    for (int depth = 0; at < items.size() && (depth > 0 || items[at] != ','); at++)
        depth = deeper(items, at, depth);
    return at;
}

// Without the brackets around the whole, if the first one is closed by the last character.
static std::string inside(const std::string &items) {
    if (items.empty() || (items[0] != '<' && items[0] != '['))
        return items;
    int depth = 0;
    for (std::size_t at = 0; at < items.size(); at++)
        if ((depth = deeper(items, at, depth)) == 0)
            return at + 1 == items.size() ? stripped(items.substr(1, items.size() - 2)) : items;
    return items;
}

static Value list_from_text(GParamSpec *spec, const std::string &written) {
    const std::string items = inside(stripped(written));
    Value list(GST_TYPE_ARRAY);
    auto *each = GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec;
    if (!each)
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("property '%s' does not tell what its list holds", spec->name));
    for (std::size_t at = 0; !items.empty() && at <= items.size();) {
        const std::size_t comma = end_of_item(items, at);
        Value item;
        try {
            item = value_from_text(each, items.substr(at, comma - at));
        } catch (const Error &) {
            refuse(spec, "'" + written + "'");
        }
        gst_value_array_append_value(list.get(), item.get());
        at = comma + 1;
    }
    return in_range(spec, std::move(list), "'" + written + "'");
}

static const GEnumValue *enum_named(GParamSpec *spec, const std::string &name) {
    auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
    if (auto *found = g_enum_get_value_by_nick(klass, name.c_str()))
        return found;
    return g_enum_get_value_by_name(klass, name.c_str());
}

static Value choice(GParamSpec *spec, const GEnumValue *found) {
    Value value(G_PARAM_SPEC_VALUE_TYPE(spec));
    g_value_set_enum(value.get(), found->value);
    return value;
}

static Value choice_from_text(GParamSpec *spec, const std::string &written) {
    const auto *found = enum_named(spec, written);
    auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
    if (!found) { // by number, as UFO does
        char *end = nullptr;
        const auto number = g_ascii_strtoll(written.c_str(), &end, 10);
        if (!written.empty() && *end == 0 && number >= G_MININT && number <= G_MAXINT)
            found = g_enum_get_value(klass, number);
    }
    if (!found) {
        std::vector<std::string> nicks;
        for (guint i = 0; i < klass->n_values; i++)
            nicks.emplace_back(klass->values[i].value_nick);
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("property '%s' does not take '%s'%s; wanted %s", spec->name, written.c_str(),
                         suggestion(written, nicks).c_str(), describe_values(spec).c_str()));
    }
    return choice(spec, found);
}

Value value_from_text(GParamSpec *spec, const std::string &written) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    if (is_number(type))
        return number_from_text(spec, written);
    if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec))
        return list_from_text(spec, written);
    if (G_IS_PARAM_SPEC_ENUM(spec))
        return choice_from_text(spec, written);
    if (!g_utf8_validate(written.c_str(), written.size(), nullptr) || written.find('\0') != std::string::npos)
        refuse(spec, "text that is no UTF-8");
    Value value(type);
    if (type == G_TYPE_STRING) {
        g_value_set_string(value.get(), written.c_str());
        return in_range(spec, std::move(value), "'" + written + "'");
    }
    if (type == G_TYPE_BOOLEAN) {
        const CString lower(g_ascii_strdown(written.c_str(), -1));
        const std::string word = lower.get();
        const bool yes = word == "true" || word == "yes" || word == "1",
                   no = word == "false" || word == "no" || word == "0";
        if (!yes && !no)
            refuse(spec, "'" + written + "'");
        g_value_set_boolean(value.get(), yes);
        return value;
    }
    if (!gst_value_deserialize_with_pspec(value.get(), written.c_str(), spec))
        refuse(spec, "'" + written + "'");
    return in_range(spec, std::move(value), "'" + written + "'");
}

// JSON
// --------------------------------------------------------------------------------------------------------

static std::string json_text(JsonNode *node) {
    const CString written(json_to_string(node, FALSE));
    std::string shown = written ? written.get() : "this";
    if (shown.size() > 60) {
        shown.resize(g_utf8_find_prev_char(shown.c_str(), shown.c_str() + 57) - shown.c_str());
        shown += "...";
    }
    return shown;
}

static Value scalar_from_json(GParamSpec *spec, JsonNode *node) {
    const GType json = json_node_get_value_type(node), type = G_PARAM_SPEC_VALUE_TYPE(spec);
    const std::string given = json_text(node);
    if (json == G_TYPE_STRING)
        return value_from_text(spec, json_node_get_string(node));
    if (json == G_TYPE_BOOLEAN) {
        if (type != G_TYPE_BOOLEAN)
            refuse(spec, given);
        Value value(type);
        g_value_set_boolean(value.get(), json_node_get_boolean(node));
        return value;
    }
    const bool whole = json == G_TYPE_INT64;
    if (is_number(type)) {
        if (!whole)
            return number_value(spec, json_node_get_double(node), given);
        const gint64 n = json_node_get_int(node);
        if (is_integer(type))
            return integer_value(spec, n < 0, n < 0 ? 0 - static_cast<guint64>(n) : n, given);
        return number_value(spec, n, given);
    }
    if (whole && (type == G_TYPE_BOOLEAN || G_IS_PARAM_SPEC_ENUM(spec)))
        return value_from_text(spec, std::to_string(json_node_get_int(node)));
    refuse(spec, given);
}

static Value list_from_json(GParamSpec *spec, JsonArray *array, const std::string &given) {
    Value list(GST_TYPE_ARRAY);
    auto *each = GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec;
    if (!each)
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("property '%s' does not tell what its list holds", spec->name));
    for (guint i = 0; i < json_array_get_length(array); i++) {
        Value item;
        try {
            item = value_from_json(each, json_array_get_element(array, i));
        } catch (const Error &) {
            refuse(spec, given);
        }
        gst_value_array_append_value(list.get(), item.get());
    }
    return in_range(spec, std::move(list), given);
}

// Structures of scalars and structures.
static GstStructure *structure_from_json(GParamSpec *spec, JsonObject *object) {
    const std::unique_ptr<GList, decltype(&g_list_free)> keys(json_object_get_members(object), g_list_free);
    std::unique_ptr<GstStructure, decltype(&gst_structure_free)> made(gst_structure_new_empty("value"),
                                                                      gst_structure_free);
    for (GList *i = keys.get(); i; i = i->next) {
        const auto *key = static_cast<const char *>(i->data);
        JsonNode *node = json_object_get_member(object, key);
        GValue value = G_VALUE_INIT;
        if (JSON_NODE_HOLDS_VALUE(node)) {
            json_node_get_value(node, &value);
        } else if (JSON_NODE_HOLDS_OBJECT(node)) {
            g_value_init(&value, GST_TYPE_STRUCTURE);
            g_value_take_boxed(&value, structure_from_json(spec, json_node_get_object(node)));
        } else {
            refuse(spec, json_text(node));
        }
        gst_structure_take_value(made.get(), key, &value);
    }
    return made.release();
}

static Value object_from_json(GParamSpec *spec, JsonNode *node) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    JsonObject *object = json_node_get_object(node);
    if (type == GST_TYPE_STRUCTURE) {
        Value value(type);
        g_value_take_boxed(value.get(), structure_from_json(spec, object));
        return value;
    }
    const bool takes_element =
        g_type_is_a(type, GST_TYPE_ELEMENT) || type == GST_TYPE_OBJECT || type == G_TYPE_OBJECT;
    JsonNode *plugin = json_object_get_member(object, "plugin");
    if (!takes_element || !plugin || json_node_get_value_type(plugin) != G_TYPE_STRING)
        refuse(spec, json_text(node));
    const auto element = ObjectRef<GstElement>(
        GST_ELEMENT(gst_object_ref_sink(make_element_of(json_node_get_string(plugin), ""))));
    const std::unique_ptr<GList, decltype(&g_list_free)> keys(json_object_get_members(object), g_list_free);
    for (GList *i = keys.get(); i; i = i->next) {
        const std::string key = static_cast<const char *>(i->data);
        JsonNode *member = json_object_get_member(object, key.c_str());
        if (key == "name" && json_node_get_value_type(member) == G_TYPE_STRING)
            gst_object_set_name(GST_OBJECT(element.get()), json_node_get_string(member));
        else if (key == "properties" && JSON_NODE_HOLDS_OBJECT(member)) {
            JsonObject *properties = json_node_get_object(member);
            const std::unique_ptr<GList, decltype(&g_list_free)> names(json_object_get_members(properties),
                                                                       g_list_free);
            for (GList *j = names.get(); j; j = j->next) {
                const auto *name = static_cast<const char *>(j->data);
                set_from_json(element.get(), name, json_object_get_member(properties, name));
            }
        } else if (key != "plugin")
            graph_error(GST_TOMO_GRAPH_ERROR_SYNTAX,
                        text("property '%s': unexpected key '%s' in a node", spec->name, key.c_str()));
    }
    if (!g_type_is_a(G_OBJECT_TYPE(element.get()), type))
        refuse(spec, text("a '%s'", json_node_get_string(plugin)));
    Value value(type);
    g_value_set_object(value.get(), element.get());
    return value;
}

Value value_from_json(GParamSpec *spec, JsonNode *node) {
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_NULL:
        refuse(spec, "null (leave the key out for the default)");
    case JSON_NODE_ARRAY:
        if (!GST_IS_PARAM_SPEC_ARRAY_LIST(spec))
            refuse(spec, json_text(node));
        return list_from_json(spec, json_node_get_array(node), json_text(node));
    case JSON_NODE_OBJECT:
        return object_from_json(spec, node);
    case JSON_NODE_VALUE:
        break;
    }
    if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec) && json_node_get_value_type(node) != G_TYPE_STRING) {
        JsonArray *one = json_array_new();
        json_array_add_element(one, json_node_copy(node));
        const std::unique_ptr<JsonArray, decltype(&json_array_unref)> kept(one, json_array_unref);
        return list_from_json(spec, one, json_text(node));
    }
    return scalar_from_json(spec, node);
}

// Back
// --------------------------------------------------------------------------------------------------------

// The decimal number that a float32 was probably written as.
static double shortest(float value) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    for (const char *format : {"%.6g", "%.7g", "%.8g", "%.9g"}) {
        g_ascii_formatd(digits, sizeof digits, format, value);
        if (static_cast<float>(g_ascii_strtod(digits, nullptr)) == value)
            break;
    }
    return g_ascii_strtod(digits, nullptr);
}

static JsonRef json_number(double value) {
    JsonRef node(json_node_new(JSON_NODE_VALUE));
    if (std::isfinite(value))
        json_node_set_double(node.get(), value);
    else // JSON has no such numbers; they are read from text
        json_node_set_string(node.get(), std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    return node;
}

static JsonRef json_integer(gint64 value) {
    JsonRef node(json_node_new(JSON_NODE_VALUE));
    json_node_set_int(node.get(), value);
    return node;
}

static JsonRef json_string(const char *value) {
    JsonRef node(json_node_new(JSON_NODE_VALUE));
    json_node_set_string(node.get(), value);
    return node;
}

JsonRef value_to_json(GParamSpec *spec, const GValue *value) {
    const GType type = G_VALUE_TYPE(value);
    if (type == G_TYPE_FLOAT)
        return json_number(std::isfinite(g_value_get_float(value)) ? shortest(g_value_get_float(value))
                                                                   : g_value_get_float(value));
    if (type == G_TYPE_DOUBLE)
        return json_number(g_value_get_double(value));
    if (type == G_TYPE_BOOLEAN) {
        JsonRef node(json_node_new(JSON_NODE_VALUE));
        json_node_set_boolean(node.get(), g_value_get_boolean(value));
        return node;
    }
    if (type == G_TYPE_STRING)
        return g_value_get_string(value) ? json_string(g_value_get_string(value)) : nullptr;
    if (type == G_TYPE_UINT64 && g_value_get_uint64(value) > G_MAXINT64)
        return json_string(std::to_string(g_value_get_uint64(value)).c_str());
    if (is_integer(type)) {
        Value wide(G_TYPE_INT64);
        g_value_transform(value, wide.get());
        return json_integer(g_value_get_int64(wide.get()));
    }
    if (G_TYPE_IS_ENUM(type)) {
        auto *klass = static_cast<GEnumClass *>(g_type_class_ref(type));
        const auto *found = g_enum_get_value(klass, g_value_get_enum(value));
        auto node = found ? json_string(found->value_nick) : json_integer(g_value_get_enum(value));
        g_type_class_unref(klass);
        return node;
    }
    if (type == GST_TYPE_ARRAY) {
        JsonRef node(json_node_new(JSON_NODE_ARRAY));
        json_node_take_array(node.get(), json_array_new());
        for (guint i = 0; i < gst_value_array_get_size(value); i++) {
            auto item = value_to_json(spec, gst_value_array_get_value(value, i));
            if (!item)
                return nullptr;
            json_array_add_element(json_node_get_array(node.get()), item.release());
        }
        return node;
    }
    const CString written(gst_value_serialize(value));
    return written ? json_string(written.get()) : nullptr;
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

JsonRef properties_to_json(GstElement *element) {
    JsonRef result(json_node_new(JSON_NODE_OBJECT));
    json_node_take_object(result.get(), json_object_new());
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
        auto node = value_to_json(spec, set.get());
        if (!node)
            graph_error(
                GST_TOMO_GRAPH_ERROR_VALUE,
                text("node '%s': property '%s' holds a value of type %s, which can't be written as JSON",
                     GST_OBJECT_NAME(element), spec->name, G_VALUE_TYPE_NAME(set.get())));
        json_object_set_member(json_node_get_object(result.get()), spec->name, node.release());
    }
    return result;
}

void set_from_text(GstElement *element, const std::string &property, const std::string &written) {
    GParamSpec *spec = require_property(element, property);
    g_object_set_property(G_OBJECT(element), spec->name, value_from_text(spec, written).get());
}

void set_from_json(GstElement *element, const std::string &property, JsonNode *node) {
    GParamSpec *spec = require_property(element, property);
    g_object_set_property(G_OBJECT(element), spec->name, value_from_json(spec, node).get());
}

} // namespace tomo
