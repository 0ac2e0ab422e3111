// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph-values.hpp>

#include <limits>

namespace tomo {

namespace {

class Writer {
  public:
    JsonRef describe(const std::string &plugin) {
        const auto factory = require_factory(plugin);
        const ObjectRef<GstElement> element(GST_ELEMENT(gst_object_ref_sink(make_element_of(plugin, ""))));
        const char *task = gst_element_factory_get_metadata(factory.get(), "tomo-task");
        begin();
        if (task)
            text("task", task);
        text("element", gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory.get())));
        text("description",
             gst_element_factory_get_metadata(factory.get(), GST_ELEMENT_METADATA_DESCRIPTION));
        text("class", gst_element_factory_get_metadata(factory.get(), GST_ELEMENT_METADATA_KLASS));
        pads("inputs", element.get(), GST_PAD_SINK);
        words("optional-inputs",
              gst_element_class_get_metadata(GST_ELEMENT_GET_CLASS(element.get()), "tomo-optional-inputs"));
        pads("outputs", element.get(), GST_PAD_SRC);
        member("properties");
        json_builder_begin_array(b_.get());
        // Those of the task first, then those it shares with others.
        const auto specs = settable_properties(G_OBJECT_GET_CLASS(element.get()));
        for (const bool own : {true, false})
            for (auto *spec : specs)
                if ((spec->owner_type == G_OBJECT_TYPE(element.get())) == own)
                    property(spec, own);
        json_builder_end_array(b_.get());
        results(G_OBJECT_GET_CLASS(element.get()), G_OBJECT_TYPE(element.get()));
        end();
        return JsonRef(json_builder_get_root(b_.get()));
    }

  private:
    void begin() { json_builder_begin_object(b_.get()); }
    void end() { json_builder_end_object(b_.get()); }
    void member(const char *key) { json_builder_set_member_name(b_.get(), key); }
    void text(const char *key, const char *value) {
        member(key);
        json_builder_add_string_value(b_.get(), value ? value : "");
    }
    void flag(const char *key, bool value) {
        member(key);
        json_builder_add_boolean_value(b_.get(), value);
    }

    void words(const char *key, const char *list) {
        member(key);
        json_builder_begin_array(b_.get());
        const std::unique_ptr<char *, decltype(&g_strfreev)> parts(g_strsplit(list ? list : "", " ", -1),
                                                                   g_strfreev);
        for (char **part = parts.get(); *part; part++)
            if (**part)
                json_builder_add_string_value(b_.get(), *part);
        json_builder_end_array(b_.get());
    }

    void pads(const char *key, GstElement *element, GstPadDirection direction) {
        member(key);
        json_builder_begin_array(b_.get());
        for (GList *i = gst_element_class_get_pad_template_list(GST_ELEMENT_GET_CLASS(element)); i;
             i = i->next)
            if (GST_PAD_TEMPLATE_DIRECTION(i->data) == direction)
                json_builder_add_string_value(b_.get(), GST_PAD_TEMPLATE_NAME_TEMPLATE(i->data));
        json_builder_end_array(b_.get());
    }

    // What the element itself finds out, and others may be bound to.
    void results(GObjectClass *klass, GType own) {
        member("results");
        json_builder_begin_array(b_.get());
        guint count = 0;
        const std::unique_ptr<GParamSpec *, Free> all(g_object_class_list_properties(klass, &count));
        for (guint i = 0; i < count; i++) {
            GParamSpec *spec = all.get()[i];
            if (spec->owner_type != own || (spec->flags & G_PARAM_READWRITE) != G_PARAM_READABLE)
                continue;
            begin();
            text("name", spec->name);
            text("type", type_name(spec));
            text("description", g_param_spec_get_blurb(spec));
            end();
        }
        json_builder_end_array(b_.get());
    }

    static const char *type_name(GParamSpec *spec) {
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

    template <class Number>
    void limit(const char *key, Number value, Number none) {
        if (value == none)
            return;
        member(key);
        if (std::is_floating_point_v<Number>)
            json_builder_add_double_value(b_.get(), value);
        else
            json_builder_add_int_value(b_.get(), value);
    }
    template <class Spec, class Number>
    void limits(GParamSpec *spec, Number lowest, Number highest) {
        const auto *s = reinterpret_cast<Spec *>(spec);
        limit<Number>("minimum", s->minimum, lowest);
        limit<Number>("maximum", s->maximum, highest);
    }

    void property(GParamSpec *spec, bool own) {
        begin();
        text("name", spec->name);
        text("type", type_name(spec));
        auto usual = value_to_json(spec, g_param_spec_get_default_value(spec));
        member("default");
        if (usual)
            json_builder_add_value(b_.get(), usual.release());
        else
            json_builder_add_null_value(b_.get());
        text("values", describe_values(spec).c_str());
        text("description", g_param_spec_get_blurb(spec));
        flag("own", own);
        flag("live", spec->flags & (GST_PARAM_MUTABLE_PLAYING | GST_PARAM_CONTROLLABLE));
        if (G_IS_PARAM_SPEC_INT(spec))
            limits<GParamSpecInt, gint64>(spec, G_MININT, G_MAXINT);
        else if (G_IS_PARAM_SPEC_UINT(spec))
            limits<GParamSpecUInt, gint64>(spec, -1, G_MAXUINT);
        else if (G_IS_PARAM_SPEC_FLOAT(spec))
            limits<GParamSpecFloat, double>(spec, -G_MAXFLOAT, G_MAXFLOAT);
        else if (G_IS_PARAM_SPEC_DOUBLE(spec))
            limits<GParamSpecDouble, double>(spec, -G_MAXDOUBLE, G_MAXDOUBLE);
        if (G_IS_PARAM_SPEC_ENUM(spec)) {
            const auto *klass = G_PARAM_SPEC_ENUM(spec)->enum_class;
            member("choices");
            json_builder_begin_array(b_.get());
            for (guint i = 0; i < klass->n_values; i++) {
                begin();
                text("name", klass->values[i].value_nick);
                text("description", klass->values[i].value_name);
                end();
            }
            json_builder_end_array(b_.get());
        }
        end();
    }

    std::unique_ptr<JsonBuilder, decltype(&g_object_unref)> b_{json_builder_new(), g_object_unref};
};

} // namespace

JsonRef describe_task(const std::string &plugin) { return Writer().describe(plugin); }

} // namespace tomo
