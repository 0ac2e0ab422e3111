// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/element.hpp>

namespace tomo {

PropertyBase::PropertyBase(Element *owner, const char *name, When when, const char *blurb)
    : owner_(owner), name_(name), blurb_(blurb), when_(when) {
    owner->add(this);
}

bool PropertyBase::must_wait() const { return when_ == When::reshapes && owner_->adapts_at_frames(); }

// Whether it is a value of the range, which NaN never is.
template <class Spec, auto value_of>
static gboolean is_out_of_range(GParamSpec *spec, GValue *value) {
    const auto *s = reinterpret_cast<Spec *>(spec);
    const auto v = value_of(value);
    return !(v >= s->minimum && v <= s->maximum);
}

static gboolean is_no_option(GParamSpec *spec, GValue *value) {
    return g_enum_get_value(G_PARAM_SPEC_ENUM(spec)->enum_class, g_value_get_enum(value)) == nullptr;
}

using Validate = gboolean (*)(GParamSpec *, GValue *);

static Validate strict_validation(GType kind) {
    if (kind == G_TYPE_PARAM_INT)
        return is_out_of_range<GParamSpecInt, g_value_get_int>;
    if (kind == G_TYPE_PARAM_UINT)
        return is_out_of_range<GParamSpecUInt, g_value_get_uint>;
    if (kind == G_TYPE_PARAM_UINT64)
        return is_out_of_range<GParamSpecUInt64, g_value_get_uint64>;
    if (kind == G_TYPE_PARAM_FLOAT)
        return is_out_of_range<GParamSpecFloat, g_value_get_float>;
    if (kind == G_TYPE_PARAM_DOUBLE)
        return is_out_of_range<GParamSpecDouble, g_value_get_double>;
    return is_no_option; // G_TYPE_PARAM_ENUM
}

gpointer new_strict_spec(GType kind, const char *name, const char *blurb, GParamFlags flags) {
    static std::mutex lock;
    const std::lock_guard<std::mutex> guard(lock);
    const std::string type_name = "GstTomoStrict" + std::string(g_type_name(kind));
    GType type = g_type_from_name(type_name.c_str());
    if (!type) {
        GTypeQuery query;
        g_type_query(kind, &query);
        GTypeInfo info = {};
        info.class_size = query.class_size;
        info.instance_size = query.instance_size;
        info.class_init = [](gpointer klass, gpointer) {
            auto *spec_class = static_cast<GParamSpecClass *>(klass);
            spec_class->value_validate = strict_validation(g_type_parent(G_TYPE_FROM_CLASS(klass)));
        };
        type = g_type_register_static(kind, type_name.c_str(), &info, static_cast<GTypeFlags>(0));
    }
    return g_param_spec_internal(type, name, name, blurb, flags);
}

static GQuark automatic_quark() {
    static const GQuark quark = g_quark_from_static_string("tomo-automatic");
    return quark;
}

std::vector<Range<double>> automatic_values(GParamSpec *spec) {
    const auto *values =
        static_cast<std::vector<Range<double>> *>(g_param_spec_get_qdata(spec, automatic_quark()));
    return values ? *values : std::vector<Range<double>>();
}

void set_automatic_values(GParamSpec *spec, const std::vector<Range<double>> &values) {
    using Values = std::vector<Range<double>>;
    if (!values.empty())
        g_param_spec_set_qdata_full(spec, automatic_quark(), std::make_unique<Values>(values).release(),
                                    [](gpointer kept) { delete static_cast<Values *>(kept); });
}

GParamFlags PropertyBase::flags(bool number) const {
    int f = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_LAX_VALIDATION;
    if (when_ == When::ready)
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
    std::lock_guard<std::mutex> lock(lock_);
    g_value_set_string(value, given_.empty() ? nullptr : given_.c_str());
}

void Property<std::string>::set(const GValue *value) {
    const char *given = g_value_get_string(value);
    std::lock_guard<std::mutex> lock(lock_);
    given_ = given ? given : "";
    if (!must_wait())
        value_ = given_;
}

void Property<std::string>::commit() {
    std::lock_guard<std::mutex> lock(lock_);
    value_ = given_;
}

void Result::report(double value) {
    value_ = value;
    g_object_notify(G_OBJECT(owner_->gst()), name_);
}

GParamSpec *Result::make_spec(const std::string &) const {
    return g_param_spec_double(name_, name_, blurb_, range_.min, range_.max, 0.0,
                               static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

GParamSpec *Property<std::vector<double>>::make_spec(const std::string &) const {
    auto *each = static_cast<GParamSpecDouble *>(
        new_strict_spec(G_TYPE_PARAM_DOUBLE, "value", "One number", flags(false)));
    each->minimum = range_.min;
    each->maximum = range_.max;
    return gst_param_spec_array(name_, name_, blurb_, reinterpret_cast<GParamSpec *>(each), flags(false));
}

void Property<std::vector<double>>::get(GValue *value) const {
    std::lock_guard<std::mutex> lock(lock_);
    for (double number : given_) {
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
    given_ = std::move(numbers);
    if (!must_wait())
        value_ = given_;
}

void Property<std::vector<double>>::commit() {
    std::lock_guard<std::mutex> lock(lock_);
    value_ = given_;
}

void ChoiceBase::set(const GValue *value) {
    given_ = g_value_get_enum(value);
    if (!must_wait())
        value_.store(given_);
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
    auto *spec =
        static_cast<GParamSpecEnum *>(new_strict_spec(G_TYPE_PARAM_ENUM, name_, blurb_, flags(false)));
    spec->enum_class =
        static_cast<GEnumClass *>(g_type_class_ref(type)); // which the specification gives back
    spec->default_value = initial_;
    reinterpret_cast<GParamSpec *>(spec)->value_type = type;
    return reinterpret_cast<GParamSpec *>(spec);
}

const char *ChoiceBase::nick() const {
    for (const auto &option : options_)
        if (option.value == value_.load())
            return option.nick;
    return "";
}

} // namespace tomo
