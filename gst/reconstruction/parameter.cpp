// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/parameter.hpp>
#include <gst/tomo/graph/values.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/support/c-string.hpp>
#include <gst/tomo/support/text-file.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

struct FreeKeyFile {
    void operator()(GKeyFile *file) const { g_key_file_free(file); }
};

constexpr auto spec_flags =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);

// Finite numbers, separated by commas; empty if the text has anything else.
std::optional<std::vector<double>> numbers_of(const std::string &text) {
    std::vector<double> numbers;
    const char *at = text.c_str();
    while (g_ascii_isspace(*at))
        at++;
    if (!*at)
        return numbers;
    while (true) {
        char *end = nullptr;
        const double number = g_ascii_strtod(at, &end);
        if (end == at || !std::isfinite(number))
            return {};
        numbers.push_back(number);
        while (g_ascii_isspace(*end))
            end++;
        if (!*end)
            return numbers;
        if (*end != ',')
            return {};
        at = end + 1;
    }
}

} // namespace

// One parameter
// ---------------------------------------------------------------------------------------------------

ParameterBase::ParameterBase(Parameters *owner, const About &about) : about_(about) {
    owner->all_.push_back(this);
}

ParameterBase::~ParameterBase() {
    if (spec_)
        g_param_spec_unref(spec_);
}

void ParameterBase::declare(GParamSpec *spec, std::vector<std::string> choices) {
    spec_ = g_param_spec_ref_sink(spec);
    choices_ = std::move(choices);
    value_ = Value(G_PARAM_SPEC_VALUE_TYPE(spec_));
    reset();
}

void ParameterBase::reset() { g_param_value_set_default(spec_, value_.get()); }

bool ParameterBase::is_given() const { return !g_param_value_defaults(spec_, value_.get()); }

void ParameterBase::set(const GValue *value) {
    Value checked(G_PARAM_SPEC_VALUE_TYPE(spec_));
    g_value_copy(value, checked.get());
    const auto refuse = [&](const std::string &given) {
        std::string wanted = choices_.empty() ? describe_values(spec_) : "one of ";
        for (std::size_t i = 0; i < choices_.size(); i++)
            wanted += (i ? ", " : "") + choices_[i];
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    ::tomo::text("%s does not take %s; wanted %s", name(), given.c_str(), wanted.c_str()));
    };
    if (!choices_.empty()) {
        const char *given = g_value_get_string(value);
        const std::string word = given ? given : "";
        const auto chosen = std::find_if(choices_.begin(), choices_.end(), [&](const auto &choice) {
            return g_ascii_strcasecmp(choice.c_str(), word.c_str()) == 0;
        });
        if (chosen == choices_.end())
            refuse("'" + word + "'" + suggestion(word, choices_));
        g_value_set_string(checked.get(), chosen->c_str());
    } else if (g_param_value_validate(spec_, checked.get())) {
        const CString given(g_strdup_value_contents(value));
        refuse(given.get());
    }
    value_ = std::move(checked);
}

std::string ParameterBase::text() const {
    if (G_IS_PARAM_SPEC_STRING(spec_)) {
        const char *text = g_value_get_string(value_.get());
        return text ? text : "";
    }
    return json().text();
}

void ParameterBase::set_text(const std::string &text) {
    if (G_IS_PARAM_SPEC_STRING(spec_)) {
        Value value(G_TYPE_STRING);
        g_value_set_string(value.get(), text.c_str());
        set(value.get());
    } else {
        set(value_from_text(spec_, text).get());
    }
}

Json ParameterBase::json() const { return value_to_json(spec_, value_.get()).value_or(Json()); }

void ParameterBase::set_json(const Json &json) { set(value_from_json(spec_, json).get()); }

Json ParameterBase::schema() const {
    Json schema = Json::object();
    const bool is_text = G_IS_PARAM_SPEC_STRING(spec_);
    schema.set("type", Json::text(is_text                          ? "string"
                                  : G_IS_PARAM_SPEC_BOOLEAN(spec_) ? "boolean"
                                  : G_IS_PARAM_SPEC_DOUBLE(spec_)  ? "number"
                                                                   : "integer"));
    schema.set("title", Json::text(name()));
    schema.set("description", Json::text(about_.blurb));
    const auto initial = value_to_json(spec_, g_param_spec_get_default_value(spec_));
    const bool is_no_value =
        G_IS_PARAM_SPEC_DOUBLE(spec_) && std::abs(G_PARAM_SPEC_DOUBLE(spec_)->default_value) == G_MAXDOUBLE;
    if (initial && !is_no_value)
        schema.set("default", *initial);
    if (G_IS_PARAM_SPEC_UINT(spec_)) {
        const auto *range = G_PARAM_SPEC_UINT(spec_);
        schema.set("minimum", Json::integer(guint64{range->minimum}));
        schema.set("maximum", Json::integer(guint64{range->maximum}));
    } else if (G_IS_PARAM_SPEC_DOUBLE(spec_)) {
        const auto *range = G_PARAM_SPEC_DOUBLE(spec_);
        if (range->minimum > -G_MAXDOUBLE)
            schema.set("minimum", Json::number(range->minimum));
        if (range->maximum < G_MAXDOUBLE)
            schema.set("maximum", Json::number(range->maximum));
    }
    if (!choices_.empty()) {
        Json words = Json::list();
        for (const auto &choice : choices_)
            words.add(Json::text(choice));
        schema.set("enum", std::move(words));
    }
    schema.set("x-section", Json::text(about_.section->name));
    schema.set("x-level", Json::text(about_.level == Level::basic ? "basic" : "advanced"));
    if (*about_.unit)
        schema.set("x-unit", Json::text(about_.unit));
    if (*about_.automatic)
        schema.set("x-automatic", Json::text(about_.automatic));
    return schema;
}

// Their types
// ---------------------------------------------------------------------------------------------------

namespace {

GParamSpec *spec_of(const About &about, bool initial, bool, bool) {
    return g_param_spec_boolean(about.name, about.name, about.blurb, initial, spec_flags);
}
GParamSpec *spec_of(const About &about, unsigned initial, unsigned minimum, unsigned maximum) {
    return g_param_spec_uint(about.name, about.name, about.blurb, minimum, maximum, initial, spec_flags);
}
GParamSpec *spec_of(const About &about, double initial, double minimum, double maximum) {
    return g_param_spec_double(about.name, about.name, about.blurb, minimum, maximum, initial, spec_flags);
}

void take(const GValue *value, bool &result) { result = g_value_get_boolean(value); }
void take(const GValue *value, unsigned &result) { result = g_value_get_uint(value); }
void take(const GValue *value, double &result) { result = g_value_get_double(value); }

} // namespace

template <class T>
Parameter<T>::Parameter(Parameters *owner, T initial, T minimum, T maximum, const About &about)
    : ParameterBase(owner, about) {
    declare(spec_of(about, initial, minimum, maximum));
}

template <class T>
T Parameter<T>::value() const {
    T result;
    take(get(), result);
    return result;
}

template class Parameter<bool>;
template class Parameter<unsigned>;
template class Parameter<double>;

Parameter<std::string>::Parameter(Parameters *owner, const char *initial, const About &about)
    : ParameterBase(owner, about) {
    declare(g_param_spec_string(about.name, about.name, about.blurb, initial, spec_flags));
}

std::string Parameter<std::string>::value() const { return text(); }

Choice::Choice(Parameters *owner, std::vector<std::string> choices, const About &about)
    : ParameterBase(owner, about) {
    const std::string initial = choices.front();
    declare(g_param_spec_string(about.name, about.name, about.blurb, initial.c_str(), spec_flags),
            std::move(choices));
}

std::string Choice::value() const { return text(); }

Numbers::Numbers(Parameters *owner, const About &about) : ParameterBase(owner, about) {
    declare(g_param_spec_string(about.name, about.name, about.blurb, "", spec_flags));
}

std::vector<double> Numbers::value() const {
    const auto numbers = numbers_of(text());
    if (!numbers)
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    ::tomo::text("%s does not take '%s'; wanted numbers separated by commas", name(),
                                 text().c_str()));
    return *numbers;
}

// All of them
// ---------------------------------------------------------------------------------------------------

std::vector<std::string> Parameters::names() const {
    std::vector<std::string> names;
    for (const auto *parameter : all_)
        names.push_back(parameter->name());
    return names;
}

ParameterBase *Parameters::find(const std::string &name) const {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const auto *p) { return name == p->name(); });
    return found == all_.end() ? nullptr : *found;
}

ParameterBase &Parameters::require(const std::string &name) const {
    if (auto *found = find(name))
        return *found;
    throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                text("there is no parameter '%s'%s", name.c_str(), suggestion(name, names()).c_str()));
}

void Parameters::assign(const Parameters &other) {
    for (auto *parameter : all_)
        if (const auto *its = other.find(parameter->name()))
            parameter->set(its->get());
}

std::string Parameters::configuration() const {
    std::string out;
    const Section *section = nullptr;
    for (const auto *parameter : all_) {
        const About &about = parameter->about();
        if (about.section != section) {
            section = about.section;
            out += text("%s[%s]\n", out.empty() ? "" : "\n", section->name);
        }
        const std::string unit = *about.unit ? text(" (%s)", about.unit) : "";
        const std::string automatic = *about.automatic ? text(" Not set: %s.", about.automatic) : "";
        out += text("# %s%s.%s\n", about.blurb, unit.c_str(), automatic.c_str());
        // As GKeyFile escapes it.
        const std::unique_ptr<GKeyFile, FreeKeyFile> file(g_key_file_new());
        g_key_file_set_string(file.get(), section->name, about.name, parameter->text().c_str());
        const CString escaped(g_key_file_get_value(file.get(), section->name, about.name, nullptr));
        out += text("%s%s=%s\n", parameter->is_given() ? "" : "#", about.name,
                    parameter->is_automatic() ? "" : escaped.get());
    }
    return out;
}

void Parameters::load(const std::string &file) {
    const std::string contents = read_text_file(file, "configuration");
    const std::unique_ptr<GKeyFile, FreeKeyFile> keys(g_key_file_new());
    GError *raw = nullptr;
    if (!g_key_file_load_from_data(keys.get(), contents.data(), contents.size(), G_KEY_FILE_NONE, &raw)) {
        const std::string why = raw->message;
        g_error_free(raw);
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_SYNTAX,
                    text("'%s' is no configuration: %s", file.c_str(), why.c_str()));
    }
    gsize groups = 0;
    const std::unique_ptr<gchar *, decltype(&g_strfreev)> names(g_key_file_get_groups(keys.get(), &groups),
                                                                g_strfreev);
    for (gsize g = 0; g < groups; g++) {
        gsize count = 0;
        const std::unique_ptr<gchar *, decltype(&g_strfreev)> in_group(
            g_key_file_get_keys(keys.get(), names.get()[g], &count, nullptr), g_strfreev);
        for (gsize k = 0; k < count; k++) {
            const char *key = in_group.get()[k];
            const CString value(g_key_file_get_string(keys.get(), names.get()[g], key, nullptr));
            try {
                auto &parameter = require(key);
                if (*parameter.about().automatic && (!value || !*value.get()))
                    parameter.reset();
                else
                    parameter.set_text(value ? value.get() : "");
            } catch (const Error &e) {
                throw Error(e.domain, e.code,
                            text("'%s', group [%s]: %s", file.c_str(), names.get()[g], e.what()));
            }
        }
    }
}

Json Parameters::json() const {
    Json object = Json::object();
    for (const auto *parameter : all_)
        if (parameter->is_given())
            object.set(parameter->name(), parameter->json());
    return object;
}

void Parameters::set_json(const Json &object) {
    if (!object.is(Json::Kind::object))
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_SYNTAX,
                    "parameters are an object, such as {\"axis\": 234.5}");
    for (const auto &member : object.members())
        require(member.key).set_json(member.value);
}

Json Parameters::schema() const {
    Json properties = Json::object();
    for (const auto *parameter : all_)
        properties.set(parameter->name(), parameter->schema());
    Json schema = Json::object();
    schema.set("$schema", Json::text("https://json-schema.org/draft/2020-12/schema"));
    schema.set("title", Json::text("Parameters of a reconstruction by gst-tomo"));
    schema.set("type", Json::text("object"));
    schema.set("additionalProperties", Json::boolean(false));
    schema.set("properties", std::move(properties));
    return schema;
}

} // namespace tomo::reconstruction
