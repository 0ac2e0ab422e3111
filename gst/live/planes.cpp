// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "planes.hpp"
#include "volume-files.hpp"

#include <gst/tomo/graph/names.hpp>
#include <gst/tomo/support/bytes.hpp>
#include <gst/tomo/support/c-string.hpp>

#include <algorithm>
#include <optional>

namespace tomo::live {

namespace {

[[noreturn]] void refuse(const std::string &why) { graph_error(GST_TOMO_GRAPH_ERROR_VALUE, why); }

std::string stripped(const std::string &text) {
    const CString copy(g_strdup(text.c_str()));
    return g_strstrip(copy.get());
}

void put(LiveSettings &settings, const std::vector<std::string> &planes) {
    settings.planes.set_text(joined_planes(planes));
}

std::vector<std::string> planes_with(const LiveSettings &settings, unsigned index) {
    auto planes = split_planes(settings.planes);
    if (index >= planes.size())
        refuse(text("there is no plane %u: there are %zu, the first one is 0", index, planes.size()));
    return planes;
}

// What an element that never runs says of a value that an action takes.
ObjectRef<GstElement> element_to_ask(const char *factory) {
    auto *made = gst_element_factory_make(factory, nullptr);
    if (!made)
        throw Error(GST_CORE_ERROR_MISSING_PLUGIN,
                    text("GStreamer has no element %s: set GST_PLUGIN_PATH to the folder of the plugin tomo",
                         factory));
    return ObjectRef<GstElement>(GST_ELEMENT_CAST(gst_object_ref_sink(made)));
}

// The first sentence of this kind that comes by the bus while something is done to the element.
template <class F>
std::optional<std::string> said_while(GstElement *element, GstMessageType type, F work) {
    GstBus *bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    work();
    std::optional<std::string> said;
    if (auto *message = gst_bus_pop_filtered(bus, type)) {
        GError *told = nullptr;
        (type == GST_MESSAGE_ERROR ? gst_message_parse_error : gst_message_parse_warning)(message, &told,
                                                                                          nullptr);
        said = told->message;
        g_error_free(told);
        gst_message_unref(message);
    }
    gst_element_set_bus(element, nullptr);
    gst_object_unref(bus);
    return said;
}

// As tomoliveslice reads it.
void check_plane(const std::string &plane) {
    const auto slices = element_to_ask("tomoliveslices");
    gboolean is_plane = FALSE;
    const auto why = said_while(slices.get(), GST_MESSAGE_WARNING, [&] {
        g_signal_emit_by_name(slices.get(), "show", 0u, plane.c_str(), &is_plane);
    });
    if (!is_plane)
        refuse(why.value_or("'" + plane + "' is no plane"));
}

// As tomolivestore reads it.
void check_condition(const std::string &condition) {
    if (condition.empty())
        return;
    const auto store = element_to_ask("tomolivestore");
    g_object_set(store.get(), "keep-when", condition.c_str(), nullptr);
    const auto why = said_while(store.get(), GST_MESSAGE_ERROR,
                                [&] { gst_element_set_state(store.get(), GST_STATE_PAUSED); });
    gst_element_set_state(store.get(), GST_STATE_NULL);
    if (why)
        refuse(*why);
}

} // namespace

std::string joined_planes(const std::vector<std::string> &planes) {
    std::string all;
    for (const auto &one : planes)
        all += (all.empty() ? "" : ";") + one;
    return all;
}

std::vector<std::string> split_planes(const std::string &planes) {
    std::vector<std::string> found;
    std::size_t begin = 0;
    while (begin <= planes.size()) {
        const auto end = std::min(planes.find(';', begin), planes.size());
        if (const auto one = stripped(planes.substr(begin, end - begin)); !one.empty())
            found.push_back(one);
        begin = end + 1;
    }
    return found;
}

void set_plane(LiveSettings &settings, unsigned index, const std::string &plane) {
    auto planes = planes_with(settings, index);
    planes[index] = plane;
    put(settings, planes);
}

void add_plane(LiveSettings &settings, const std::string &plane) {
    auto planes = split_planes(settings.planes);
    planes.push_back(plane);
    put(settings, planes);
}

void remove_plane(LiveSettings &settings, unsigned index) {
    auto planes = planes_with(settings, index);
    if (planes.size() == 1)
        refuse("the last plane can't be removed: pause the slices instead");
    planes.erase(planes.begin() + index);
    put(settings, planes);
}

void check(const LiveSettings &settings) {
    const auto planes = split_planes(settings.planes);
    if (planes.empty())
        refuse("planes names no plane: wanted such as x=0;y=0;z=0");
    constexpr std::size_t most = 32; // each has a thread
    if (planes.size() > most)
        refuse(text("planes names %zu planes, of which each needs a thread: wanted %zu at most",
                    planes.size(), most));
    for (const auto &one : planes)
        check_plane(one);
    check_condition(settings.keep_when);
    if (!settings.volume_path.empty())
        check_volume_pattern(settings.volume_path);
    if (!settings.retrieval_method.is("none")) {
        if (settings.correction.is("off"))
            refuse(
                text("retrieval-method is %s, but without correction frames are line integrals: set one of "
                     "them otherwise",
                     settings.retrieval_method.value().c_str()));
        if (settings.process.value().find("retrievephase") != std::string::npos)
            refuse(
                text("retrieval-method is %s, and process has tomoretrievephase as well: leave one of them",
                     settings.retrieval_method.value().c_str()));
    }
    std::string given;
    unsigned count = 0;
    for (const reconstruction::ParameterBase *parameter :
         {static_cast<const reconstruction::ParameterBase *>(&settings.half_turn),
          static_cast<const reconstruction::ParameterBase *>(&settings.angle_step_degrees),
          static_cast<const reconstruction::ParameterBase *>(&settings.speed_degrees)})
        if (parameter->is_given()) {
            given += (given.empty() ? "" : " and ") + std::string(parameter->name());
            count++;
        }
    if (count > 1)
        refuse(text("%s are given, each of which tells the angles: leave one", given.c_str()));
    if (!settings.store_limit.empty() && !bytes_of(settings.store_limit))
        refuse(
            text("store-limit does not take '%s'; %s", settings.store_limit.value().c_str(), wanted_bytes));
    if (settings.minimum.is_given() && settings.maximum.is_given() && settings.minimum == settings.maximum)
        refuse(text("minimum and maximum are both %g: wanted two values", settings.minimum.value()));
}

} // namespace tomo::live
