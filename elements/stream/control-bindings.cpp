// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "control-bindings.hpp"

#include <gst/tomo/bases/property-values.hpp>
#include <gst/tomo/bases/side-by-side.hpp>
#include <gst/tomo/support/error.hpp>

#include <cstring>
#include <memory>

namespace tomo::stream {

namespace {

using Specs = std::unique_ptr<GParamSpec *, decltype(&g_free)>;

Controlled controlled_by(GstElement *element, std::size_t place) {
    Controlled found;
    if (!gst_object_has_active_control_bindings(GST_OBJECT(element)))
        return found;
    guint count = 0;
    const Specs specs(g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count), g_free);
    for (guint i = 0; i < count; i++) {
        const char *name = specs.get()[i]->name;
        ObjectRef<GstControlBinding> binding(gst_object_get_control_binding(GST_OBJECT(element), name));
        if (binding && !gst_control_binding_is_disabled(binding.get()))
            found.push_back({place, name, std::move(binding)});
    }
    return found;
}

// One of the same kind, with the same control sources, for a copy of the binding's object.
GstControlBinding *binding_for(GstElement *copy, const ControlledProperty &original) {
    auto *binding = G_OBJECT(original.binding.get());
    guint count = 0;
    const Specs specs(g_object_class_list_properties(G_OBJECT_GET_CLASS(binding), &count), g_free);
    std::vector<const char *> names{"object", "name"};
    std::vector<Value> values(2);
    values[0] = Value(GST_TYPE_OBJECT);
    g_value_set_object(values[0].get(), copy);
    values[1] = Value(G_TYPE_STRING);
    g_value_set_string(values[1].get(), original.property.c_str());
    bool has_source = false;
    for (guint i = 0; i < count; i++) {
        const auto *spec = specs.get()[i];
        constexpr auto both = static_cast<GParamFlags>(G_PARAM_READWRITE);
        if ((spec->flags & both) != both || g_type_is_a(GST_TYPE_CONTROL_BINDING, spec->owner_type))
            continue;
        has_source |= g_type_is_a(spec->value_type, GST_TYPE_CONTROL_SOURCE);
        names.push_back(spec->name);
        values.emplace_back(spec->value_type);
        g_object_get_property(binding, spec->name, values.back().get());
    }
    if (!has_source)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            text("property '%s' of %s is driven by a %s, which copies can't follow: it has no control "
                 "source. Use a GstDirectControlBinding",
                 original.property.c_str(), GST_OBJECT_NAME(original_of(copy)), G_OBJECT_TYPE_NAME(binding)));
    std::vector<GValue> plain;
    for (auto &value : values)
        plain.push_back(*value.get());
    return GST_CONTROL_BINDING(g_object_new_with_properties(
        G_OBJECT_TYPE(binding), static_cast<guint>(plain.size()), names.data(), plain.data()));
}

} // namespace

Controlled controlled_by(const std::vector<GstElement *> &elements) {
    Controlled all;
    for (std::size_t i = 0; i < elements.size(); i++)
        for (auto &one : controlled_by(elements[i], i))
            all.push_back(std::move(one));
    return all;
}

void follow(const std::vector<GstElement *> &copies, const Controlled &before, const Controlled &wanted) {
    for (const auto &one : before)
        if (auto *binding =
                gst_object_get_control_binding(GST_OBJECT(copies[one.element]), one.property.c_str())) {
            gst_object_remove_control_binding(GST_OBJECT(copies[one.element]), binding);
            gst_object_unref(binding);
        }
    for (const auto &one : wanted)
        gst_object_add_control_binding(GST_OBJECT(copies[one.element]),
                                       binding_for(copies[one.element], one));
}

} // namespace tomo::stream
