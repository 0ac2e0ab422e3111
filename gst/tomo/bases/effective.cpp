// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>

namespace tomo {

EffectiveValues::EffectiveValues() : values_(gst_structure_new_empty("tomo-effective")) {}

EffectiveValues &EffectiveValues::explain(const std::string &name, const char *unit,
                                          std::optional<Origin> origin) {
    if (unit)
        set(name + "-units", G_TYPE_STRING, unit);
    if (origin)
        set(name + "-source", G_TYPE_STRING, name_of(*origin));
    return *this;
}

EffectiveValues &EffectiveValues::add(const Axis &axis) {
    return add("axis", axis.position, "pixel", axis.origin);
}

EffectiveValues &EffectiveValues::add(const ViewAngles &views) {
    add("projections", static_cast<unsigned>(views.angles.size()));
    explain("angle", nullptr, views.origin);
    if (views.angles.empty())
        return *this;
    add("angle-first", views.angles.front(), "rad", views.origin);
    add("angle-last", views.angles.back(), "rad", views.origin);
    if (const auto step = views.even_step())
        add("angle-step", *step, "rad", views.origin);
    return *this;
}

EffectiveValues &EffectiveValues::say(const std::string &sentence) {
    set("text", G_TYPE_STRING, sentence.c_str());
    return *this;
}

} // namespace tomo
