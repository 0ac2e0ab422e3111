// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/element.hpp>

namespace tomo {

PropertyBase::PropertyBase(Element *owner, const char *name, const char *blurb, When when)
    : name_(name), blurb_(blurb), when_(when) {
    owner->add(this);
}

GParamFlags PropertyBase::flags(bool number) const {
    int f = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
    if (when_ == When::result)
        f &= ~G_PARAM_WRITABLE;
    else if (when_ == When::ready)
        f |= GST_PARAM_MUTABLE_READY;
    else
        f |= GST_PARAM_MUTABLE_PLAYING;
    if (number && when_ == When::live)
        f |= GST_PARAM_CONTROLLABLE;
    return static_cast<GParamFlags>(f);
}

GParamSpec *Property<std::string>::make_spec(const std::string &) const {
    return g_param_spec_string(name_, name_, blurb_, initial_.empty() ? nullptr : initial_.c_str(),
                               flags(false));
}

void Property<std::string>::get(GValue *value) const {
    const std::string v = this->value();
    g_value_set_string(value, v.empty() ? nullptr : v.c_str());
}

void Property<std::string>::set(const GValue *value) {
    const char *given = g_value_get_string(value);
    std::lock_guard<std::mutex> lock(lock_);
    value_ = given ? given : "";
}

GParamSpec *Property<std::vector<double>>::make_spec(const std::string &) const {
    return gst_param_spec_array(
        name_, name_, blurb_,
        g_param_spec_double("value", "value", "One number", -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags(false)),
        flags(false));
}

void Property<std::vector<double>>::get(GValue *value) const {
    for (double number : this->value()) {
        GValue v = G_VALUE_INIT;
        g_value_init(&v, G_TYPE_DOUBLE);
        g_value_set_double(&v, number);
        gst_value_array_append_and_take_value(value, &v);
    }
}

void Property<std::vector<double>>::set(const GValue *value) {
    std::vector<double> numbers;
    for (guint i = 0; i < gst_value_array_get_size(value); i++) {
        GValue v = G_VALUE_INIT;
        g_value_init(&v, G_TYPE_DOUBLE);
        if (g_value_transform(gst_value_array_get_value(value, i), &v))
            numbers.push_back(g_value_get_double(&v));
        else
            g_warning("%s: value %u is no number", name_, i);
        g_value_unset(&v);
    }
    std::lock_guard<std::mutex> lock(lock_);
    value_ = std::move(numbers);
}

GParamSpec *ChoiceBase::make_spec(const std::string &prefix) const {
    std::string type_name = prefix;
    bool upper = true;
    for (const char *c = name_; *c; c++) {
        if (*c != '-')
            type_name += upper ? g_ascii_toupper(*c) : *c;
        upper = *c == '-';
    }
    GType type = g_type_from_name(type_name.c_str());
    if (!type) {
        // The table lives as long as the type: for ever.
        auto *values = g_new0(GEnumValue, options_.size() + 1);
        for (std::size_t i = 0; i < options_.size(); i++)
            values[i] = {options_[i].value, options_[i].meaning, options_[i].nick};
        type = g_enum_register_static(type_name.c_str(), values);
    }
    return g_param_spec_enum(name_, name_, blurb_, type, initial_, flags(false));
}

const char *ChoiceBase::nick() const {
    for (const auto &option : options_)
        if (option.value == value_.load())
            return option.nick;
    return "";
}

} // namespace tomo
