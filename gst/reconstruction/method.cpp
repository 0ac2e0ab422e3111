// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/tomo/device/context.hpp>
#include <gst/tomo/graph/names.hpp>

#include <memory>

namespace tomo::reconstruction {

void check_precision(const Settings &settings, const Device &device) {
    if (settings.precision.is("half") && settings.result.is("slices") && !device.has_tensor_cores())
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("precision=half needs the tensor cores of an NVIDIA GPU, and %s has none: leave it out, or "
                 "name another device by --device",
                 device.name().c_str()));
}

bool is_iterative(const Settings &settings) {
    return !settings.method.is("fbp") && !settings.method.is("dfi") && !settings.method.is("auto");
}

unsigned iterations_of(const Settings &settings) {
    if (settings.num_iterations > 0)
        return settings.num_iterations;
    const auto factory = require_factory(settings.method.value());
    const ObjectRef<GstElementFactory> loaded(
        GST_ELEMENT_FACTORY(gst_plugin_feature_load(GST_PLUGIN_FEATURE(factory.get()))));
    if (!loaded)
        throw Error(GST_CORE_ERROR_MISSING_PLUGIN,
                    text("the plugin of method=%s can't be loaded", settings.method.value().c_str()));
    const std::unique_ptr<void, decltype(&g_type_class_unref)> klass(
        g_type_class_ref(gst_element_factory_get_element_type(loaded.get())), g_type_class_unref);
    return G_PARAM_SPEC_UINT(g_object_class_find_property(G_OBJECT_CLASS(klass.get()), "num-iterations"))
        ->default_value;
}

bool goes_view_by_view(const Settings &settings) {
    return settings.method.is("sart") || (settings.method.is("asdpocs") && settings.subsets == 0);
}

// The time of a Fourier reconstruction hardly depends on views and region, that of backprojection is
// proportional to views and pixels.
MethodChoice chosen_method(const Settings &settings, const Inspection &scan, double axis) {
    constexpr unsigned enough_views = 100, small_part = 2;
    if (settings.method.is("auto") && is_general(settings, scan))
        return {Method::fbp, "fbp, which serves every geometry"};
    if (!settings.method.is("auto"))
        return {is_iterative(settings)      ? Method::iterative
                : settings.method.is("dfi") ? Method::dfi
                                            : Method::fbp,
                {}};
    const unsigned columns = field_of_slices(settings, scan, axis).columns;
    if (scan.views < enough_views)
        return {Method::fbp, text("fbp, because %zu views are few", std::size_t{scan.views})};
    if (settings.crop_width && settings.crop_width < columns / small_part)
        return {Method::fbp, text("fbp, because %u of %u columns are a small region",
                                  settings.crop_width.value(), columns)};
    return {Method::dfi, text("dfi, which takes less time for %zu views and slices of %u columns",
                              std::size_t{scan.views}, columns)};
}

namespace {

template <class P>
std::string given(const char *key, const P &parameter) {
    return parameter.is_given() ? property(key, parameter.value()) : std::string();
}

std::string given(const char *key, const Choice &choice) {
    return choice.is_given() ? launch_property(key, choice.value()) : std::string();
}

} // namespace

std::string iteration_words(const Settings &settings) {
    return (settings.num_iterations > 0 ? given("num-iterations", settings.num_iterations) : "") +
           given("lambda", settings.lambda) + given("relaxation", settings.relaxation_factor) +
           (settings.subsets > 0 ? given("subsets", settings.subsets) : "") +
           given("minimum", settings.slice_minimum) + given("maximum", settings.slice_maximum);
}

std::string filter_words(const Settings &settings) {
    return given("filter", settings.projection_filter) + given("cutoff", settings.projection_filter_cutoff);
}

std::string method_line(const Settings &settings, Method method) {
    if (method == Method::iterative)
        return " ! tomo" + settings.method.value() + " name=" + settings.method.value() +
               iteration_words(settings) + given("operator", settings.projector) +
               given("operator-tolerance", settings.tolerance);
    if (method == Method::dfi)
        return " ! tomodfi name=dfi" + filter_words(settings) + given("tolerance", settings.tolerance);
    return (settings.projection_filter.is("none")
                ? ""
                : " ! tomorampfilter name=filter" + filter_words(settings)) +
           " ! tomobackproject name=backproject" +
           (settings.precision.is("half") ? " precision-mode=half" : "");
}

} // namespace tomo::reconstruction
