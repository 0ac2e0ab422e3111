// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/bases/source-bin.hpp>
#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/graph/ports.hpp>

#include <cstring>

namespace tomo {

using PadRef = ObjectRef<GstPad>;

std::vector<GstPadTemplate *> templates_of(GstElement *element, GstPadDirection direction) {
    std::vector<GstPadTemplate *> found;
    for (GList *i = gst_element_class_get_pad_template_list(GST_ELEMENT_GET_CLASS(element)); i; i = i->next) {
        auto *templ = GST_PAD_TEMPLATE(i->data);
        if (GST_PAD_TEMPLATE_DIRECTION(templ) == direction)
            found.push_back(templ);
    }
    return found;
}

bool is_numbered(GstPadTemplate *templ) {
    return std::strchr(GST_PAD_TEMPLATE_NAME_TEMPLATE(templ), '%') != nullptr;
}

std::string stem_of(GstPadTemplate *templ) {
    const std::string name = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ);
    return name.substr(0, name.find('%'));
}

// "sink_%u", but not "src_%u_%u" or "%s".
static bool counts(GstPadTemplate *templ) {
    const std::string rest = GST_PAD_TEMPLATE_NAME_TEMPLATE(templ) + stem_of(templ).size();
    return rest == "%u" || rest == "%d";
}

std::string list_of(const std::vector<GstPadTemplate *> &templates) {
    std::string list;
    for (auto *templ : templates)
        list += (list.empty() ? "" : ", ") + std::string(GST_PAD_TEMPLATE_NAME_TEMPLATE(templ));
    return list;
}

std::string input_pad(GstElement *element, unsigned n) {
    const auto all = templates_of(element, GST_PAD_SINK);
    std::vector<GstPadTemplate *> fixed, numbered;
    for (auto *templ : all)
        (is_numbered(templ) ? numbered : fixed).push_back(templ);
    if (n < fixed.size())
        return GST_PAD_TEMPLATE_NAME_TEMPLATE(fixed[n]);
    if (numbered.size() == 1 && counts(numbered.front()))
        return stem_of(numbered.front()) + std::to_string(n - fixed.size());
    if (!numbered.empty() && n == 0)
        return {};
    if (all.empty())
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("node '%s' is a source and takes no input", GST_OBJECT_NAME(element)));
    if (!numbered.empty())
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("node '%s' has inputs of several kinds (%s): give the name instead of number %u",
                         GST_OBJECT_NAME(element), list_of(all).c_str(), n));
    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                text("node '%s' has no input %u; its inputs are 0 to %zu (%s)", GST_OBJECT_NAME(element), n,
                     fixed.size() - 1, list_of(all).c_str()));
}

std::optional<unsigned> input_number(GstElement *element, const std::string &pad) {
    unsigned n = 0;
    GstPadTemplate *numbered = nullptr;
    unsigned kinds = 0;
    for (auto *templ : templates_of(element, GST_PAD_SINK)) {
        if (is_numbered(templ)) {
            numbered = templ;
            kinds++;
        } else if (pad == GST_PAD_TEMPLATE_NAME_TEMPLATE(templ)) {
            return n;
        } else {
            n++;
        }
    }
    const std::string stem = kinds == 1 ? stem_of(numbered) : "";
    if (kinds != 1 || !counts(numbered) || pad.compare(0, stem.size(), stem) != 0)
        return {};
    char *end = nullptr;
    const auto i = g_ascii_strtoull(pad.c_str() + stem.size(), &end, 10);
    return *end == 0 && end != pad.c_str() + stem.size() ? std::optional<unsigned>(n + i) : std::nullopt;
}

std::string output_pad(GstElement *element, unsigned n) {
    const auto all = templates_of(element, GST_PAD_SRC);
    if (n == 0 || (all.size() == 1 && is_numbered(all.front()))) // each edge gets a pad of its own
        return {};
    if (n < all.size() && !is_numbered(all[n]))
        return GST_PAD_TEMPLATE_NAME_TEMPLATE(all[n]);
    graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                all.empty() ? text("node '%s' is a sink and gives no output", GST_OBJECT_NAME(element))
                            : text("node '%s' has no output %u; it has %s, counted from 0",
                                   GST_OBJECT_NAME(element), n, list_of(all).c_str()));
}

std::string output_name(GstElement *element, const std::string &output) {
    const auto all = templates_of(element, GST_PAD_SRC);
    const bool is_there = !all.empty() && GST_PAD_TEMPLATE_PRESENCE(all.front()) == GST_PAD_ALWAYS;
    return output.empty() && is_there ? GST_PAD_TEMPLATE_NAME_TEMPLATE(all.front()) : output;
}

bool has_independent_outputs(GstElement *element) {
    return dynamic_cast<SourceBin *>(element_of(element)) != nullptr;
}

std::vector<PadRef> pads_of(GstElement *element, GstPadDirection direction) {
    std::vector<PadRef> pads;
    GST_OBJECT_LOCK(element);
    for (GList *i = element->pads; i; i = i->next)
        if (GST_PAD_DIRECTION(i->data) == direction)
            pads.push_back(PadRef::referenced(GST_PAD(i->data)));
    GST_OBJECT_UNLOCK(element);
    return pads;
}

GstPadPresence presence(GstPad *pad) {
    GstPadTemplate *templ = GST_PAD_PAD_TEMPLATE(pad);
    return templ ? GST_PAD_TEMPLATE_PRESENCE(templ) : GST_PAD_ALWAYS;
}

PadRef pad_named(GstElement *element, const std::string &name) {
    PadRef pad(gst_element_get_static_pad(element, name.c_str()));
    if (!pad)
        pad = PadRef(gst_element_request_pad_simple(element, name.c_str()));
    return pad;
}

bool is_made_by(GstElement *element, const char *factory_name) {
    GstElementFactory *factory = gst_element_get_factory(element);
    return factory && g_strcmp0(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory)), factory_name) == 0;
}

} // namespace tomo
