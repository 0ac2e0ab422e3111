// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/bases/property-values.hpp>

#include <gst/gst.h>

namespace tomo {

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

} // namespace tomo
