// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/graph/names.hpp>

#include <algorithm>
#include <numeric>

namespace tomo {

void graph_error(GstTomoGraphError code, const std::string &message) {
    throw Error(GST_TOMO_GRAPH_ERROR, code, message);
}

// Edit distance in which a swap of neighbours counts once (optimal string alignment).
static std::size_t distance(const std::string &a, const std::string &b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); i++)
        d[i][0] = i;
    std::iota(d[0].begin(), d[0].end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); i++)
        for (std::size_t j = 1; j <= b.size(); j++) {
            const std::size_t change = a[i - 1] != b[j - 1];
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}

std::string nearest(const std::string &word, const std::vector<std::string> &candidates) {
    std::string best;
    // A third of the letters may be wrong; longer words than any name have no neighbours.
    std::size_t limit = word.size() > 64 ? 0 : word.size() / 3 + 1;
    for (const auto &candidate : candidates) {
        const auto longer = std::max(word.size(), candidate.size());
        if (limit == 0 || longer - std::min(word.size(), candidate.size()) >= limit + 1)
            continue;
        const auto d = distance(word, candidate);
        if (d <= limit && d < candidate.size()) {
            best = candidate;
            if (d == 0)
                break;
            limit = d - 1;
            if (limit == 0)
                break;
        }
    }
    if (best.empty())
        for (const auto &candidate : candidates)
            if (word.size() >= 3 && candidate.compare(0, word.size(), word) == 0)
                return candidate;
    return best;
}

std::string suggestion(const std::string &word, const std::vector<std::string> &candidates) {
    const std::string name = nearest(word, candidates);
    return name.empty() ? "" : " (did you mean '" + name + "'?)";
}

static Factory factory_named(const std::string &name) {
    return Factory(gst_element_factory_find(name.c_str()));
}

Factory find_factory(const std::string &plugin) {
    std::string ours = "tomo" + plugin;
    ours.erase(std::remove_if(ours.begin(), ours.end(), [](char c) { return c == '-' || c == '_'; }),
               ours.end());
    if (auto factory = factory_named(ours))
        return factory;
    return factory_named(plugin);
}

static std::vector<std::string> element_names() {
    std::vector<std::string> names;
    GList *features = gst_registry_get_feature_list(gst_registry_get(), GST_TYPE_ELEMENT_FACTORY);
    for (GList *i = features; i; i = i->next)
        names.emplace_back(gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(i->data)));
    gst_plugin_feature_list_free(features);
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> task_names() {
    std::vector<std::string> names;
    GList *features = gst_registry_get_feature_list(gst_registry_get(), GST_TYPE_ELEMENT_FACTORY);
    for (GList *i = features; i; i = i->next)
        if (const char *task = gst_element_factory_get_metadata(GST_ELEMENT_FACTORY(i->data), "tomo-task"))
            names.emplace_back(task);
    gst_plugin_feature_list_free(features);
    std::sort(names.begin(), names.end());
    return names;
}

Factory require_factory(const std::string &plugin, const std::string &package) {
    auto factory = find_factory(plugin);
    if (!factory) {
        auto names = task_names();
        if (names.empty())
            graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                        text("no task or element '%s', and no task at all: GStreamer does not find the "
                             "plugin of gst-tomo (see GST_PLUGIN_PATH)",
                             plugin.c_str()));
        std::string hint = suggestion(plugin, names);
        if (hint.empty())
            hint = suggestion(plugin, element_names());
        graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                    text("no task or element '%s'%s", plugin.c_str(), hint.c_str()));
    }
    if (!package.empty()) {
        const char *origin = gst_plugin_feature_get_plugin_name(GST_PLUGIN_FEATURE(factory.get()));
        if (g_strcmp0(origin, package.c_str()) != 0)
            graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                        text("package '%s' has no '%s'; the one there is comes from '%s'", package.c_str(),
                             plugin.c_str(), origin ? origin : "the application"));
    }
    return factory;
}

std::string plugin_name(GstElementFactory *factory) {
    const char *task = gst_element_factory_get_metadata(factory, "tomo-task");
    return task ? task : gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory));
}

GstElement *make_element_of(const std::string &plugin, const std::string &name, const std::string &package) {
    const auto factory = require_factory(plugin, package);
    GstElement *element = gst_element_factory_create(factory.get(), name.empty() ? nullptr : name.c_str());
    if (!element)
        graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                    text("element '%s' is known, but its plugin can't be loaded; gst-inspect-1.0 %s says why",
                         plugin.c_str(), gst_plugin_feature_get_name(GST_PLUGIN_FEATURE(factory.get()))));
    return element;
}

void require_node(GstElement *element) {
    GstElementFactory *factory = gst_element_get_factory(element);
    const std::string plugin = factory ? plugin_name(factory) : G_OBJECT_TYPE_NAME(element);
    if (GST_IS_PIPELINE(element))
        graph_error(
            GST_TOMO_GRAPH_ERROR_STRUCTURE,
            text("%s can't be a node: it is a whole pipeline, with an end of its own", plugin.c_str()));
    const bool has_children = GST_IS_BIN(element) && GST_BIN_NUMCHILDREN(element) > 0;
    if (!has_children && !element->pads &&
        !gst_element_class_get_pad_template_list(GST_ELEMENT_GET_CLASS(element)))
        graph_error(GST_TOMO_GRAPH_ERROR_STRUCTURE,
                    text("%s can't be a node: it has neither inputs nor outputs", plugin.c_str()));
}

std::vector<GParamSpec *> settable_properties(GObjectClass *klass) {
    guint count = 0;
    const std::unique_ptr<GParamSpec *, Free> all(g_object_class_list_properties(klass, &count));
    std::vector<GParamSpec *> found;
    for (guint i = 0; i < count; i++) {
        GParamSpec *spec = all.get()[i];
        // The name is the node's; the parent is the pipeline.
        const bool is_of_object = spec->owner_type == GST_TYPE_OBJECT;
        if ((spec->flags & G_PARAM_WRITABLE) && !(spec->flags & G_PARAM_CONSTRUCT_ONLY) && !is_of_object)
            found.push_back(spec);
    }
    return found;
}

GParamSpec *require_property(GstElement *element, const std::string &name) {
    const auto settable = settable_properties(G_OBJECT_GET_CLASS(element));
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name.c_str());
    for (const auto *p : settable)
        if (spec && g_strcmp0(p->name, spec->name) == 0)
            return spec;
    GstElementFactory *factory = gst_element_get_factory(element);
    const std::string plugin = factory ? plugin_name(factory) : G_OBJECT_TYPE_NAME(element);
    if (spec && spec->owner_type == GST_TYPE_OBJECT)
        graph_error(
            GST_TOMO_GRAPH_ERROR_NOT_FOUND,
            text("'%s' is no property of a task; a node's name stands beside its plugin", name.c_str()));
    if (spec)
        graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                    text("property '%s' of '%s' can't be set", name.c_str(), plugin.c_str()));
    std::vector<std::string> names;
    std::string list;
    for (const auto *p : settable) {
        names.emplace_back(p->name);
        list += (list.empty() ? "" : ", ") + std::string(p->name);
    }
    const auto hint = suggestion(name, names);
    graph_error(GST_TOMO_GRAPH_ERROR_NOT_FOUND,
                text("'%s' has no property '%s'%s", plugin.c_str(), name.c_str(),
                     !hint.empty()  ? hint.c_str()
                     : list.empty() ? "; it has none"
                                    : ("; it has " + list).c_str()));
}

} // namespace tomo
