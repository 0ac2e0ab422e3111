// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/graph/value-text.hpp>
#include <gst/tomo/graph/values.hpp>

#include <charconv>
#include <cmath>
#include <cstring>

namespace tomo {

void refuse(GParamSpec *spec, const std::string &given) {
    graph_error(GST_TOMO_GRAPH_ERROR_VALUE, text("property '%s' does not take %s; wanted %s", spec->name,
                                                 given.c_str(), describe_values(spec).c_str()));
}

// Numbers
// -----------------------------------------------------------------------------------------------------

Value in_range(GParamSpec *spec, Value value, const std::string &given) {
    if (g_param_value_validate(spec, value.get()))
        refuse(spec, given);
    return value;
}

bool is_integer(GType type) {
    return type == G_TYPE_INT || type == G_TYPE_UINT || type == G_TYPE_INT64 || type == G_TYPE_UINT64 ||
           type == G_TYPE_LONG || type == G_TYPE_ULONG;
}

bool is_number(GType type) { return is_integer(type) || type == G_TYPE_FLOAT || type == G_TYPE_DOUBLE; }

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
    // Ranges hold no NaN, and GObject lets it pass or takes the default. Properties that use it for "not set"
    // say so by their default.
    const double usual = type == G_TYPE_FLOAT ? G_PARAM_SPEC_FLOAT(spec)->default_value
                                              : G_PARAM_SPEC_DOUBLE(spec)->default_value;
    if (std::isnan(number) && !std::isnan(usual))
        refuse(spec, given);
    Value value(type);
    if (type == G_TYPE_FLOAT) {
        if (std::isfinite(number) && std::abs(number) > G_MAXFLOAT)
            refuse(spec, given);
        g_value_set_float(value.get(), static_cast<float>(number));
    } else {
        g_value_set_double(value.get(), number);
    }
    return std::isnan(number) ? std::move(value) : in_range(spec, std::move(value), given);
}

// Text
// -----------------------------------------------------------------------------------------------------

static std::string stripped(const std::string &s) {
    const auto first = s.find_first_not_of(" \t"), last = s.find_last_not_of(" \t");
    return first == std::string::npos ? "" : s.substr(first, last - first + 1);
}

Value number_from_text(GParamSpec *spec, const std::string &written, const std::string &given) {
    const std::string digits = stripped(written);
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
    if (G_PARAM_SPEC_VALUE_TYPE(spec) == G_TYPE_FLOAT) { // rounded once, not to double first
        float number = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (read.ec == std::errc() && read.ptr == digits.data() + digits.size())
            return number_value(spec, number, given);
    }
    errno = 0;
    const double number = g_ascii_strtod(digits.c_str(), &end);
    if (*end != 0 || (errno == ERANGE && std::isinf(number)))
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

const GEnumValue *enum_named(GParamSpec *spec, const std::string &name) {
    auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
    if (auto *found = g_enum_get_value_by_nick(klass, name.c_str()))
        return found;
    return g_enum_get_value_by_name(klass, name.c_str());
}

std::string task_of(GParamSpec *spec) {
    if (!g_type_is_a(spec->owner_type, GST_TYPE_ELEMENT))
        return {};
    auto *klass = static_cast<GstElementClass *>(g_type_class_ref(spec->owner_type));
    const char *task = gst_element_class_get_metadata(klass, "tomo-task");
    const std::string name = task ? task : "";
    g_type_class_unref(klass);
    return name;
}

Value choice_from_text(GParamSpec *spec, const std::string &written) {
    const auto *found = enum_named(spec, written);
    auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
    // By number for elements of GStreamer. Ours are counted in another order than UFO's.
    if (gint64 number = 0;
        !found && task_of(spec).empty() &&
        g_ascii_string_to_signed(written.c_str(), 10, G_MININT, G_MAXINT, &number, nullptr))
        found = g_enum_get_value(klass, static_cast<gint>(number));
    if (!found) {
        std::vector<std::string> nicks;
        for (guint i = 0; i < klass->n_values; i++)
            nicks.emplace_back(klass->values[i].value_nick);
        graph_error(GST_TOMO_GRAPH_ERROR_VALUE,
                    text("property '%s' does not take '%s'%s; wanted %s", spec->name, written.c_str(),
                         suggestion(written, nicks).c_str(), describe_values(spec).c_str()));
    }
    Value value(G_PARAM_SPEC_VALUE_TYPE(spec));
    g_value_set_enum(value.get(), found->value);
    return value;
}

Value value_from_text(GParamSpec *spec, const std::string &written) {
    const GType type = G_PARAM_SPEC_VALUE_TYPE(spec);
    if (is_number(type))
        return number_from_text(spec, written, "'" + written + "'");
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

} // namespace tomo
