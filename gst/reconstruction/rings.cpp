// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/rings.hpp>

namespace tomo::reconstruction {

namespace {

enum class Values { transmission, absorption };

struct Method {
    const char *name;
    Values values; // on which it works
    std::string (*line)(const Settings &settings, unsigned columns);
};

std::string none(const Settings &, unsigned) { return {}; }

std::string fourier(const Settings &settings, unsigned columns) {
    return " ! tomofft name=spectrum dimensions=2 ! tomofilterstripes name=rings vertical-sigma=1" +
           property("horizontal-sigma", columns / settings.rings_width) +
           " ! tomoifft name=sinogram dimensions=2";
}

// The parameter, as that property of the element, where it is given.
template <class P>
std::string given(const char *key, const P &parameter) {
    return parameter.is_given() ? property(key, parameter.value()) : "";
}

std::string wavelet(const Settings &settings, unsigned) {
    return " ! tomoremovestripeswavelet name=rings" + given("sigma", settings.rings_sigma) +
           given("levels", settings.rings_levels) +
           (settings.rings_wavelet.is_given() ? launch_property("wavelet", settings.rings_wavelet) : "");
}

std::string titarenko(const Settings &settings, unsigned) {
    return " ! tomoremovestripestitarenko name=rings" + given("alpha", settings.rings_alpha) +
           given("chunks", settings.rings_chunks);
}

std::string normalization(const Settings &settings, unsigned) {
    return " ! tomoremovestripesnormalization name=rings" + given("sigma", settings.rings_sigma) +
           given("chunks", settings.rings_chunks);
}

// Of sinograms, so that a slab is what it is in the whole.
std::string double_flat_field(const Settings &settings, unsigned) {
    return " ! tomodoubleflatfield name=rings" + given("sigma", settings.rings_sigma);
}

std::string sorting(const Settings &s, unsigned) {
    return " ! tomoremovestripessorting name=rings" + given("size", s.rings_size);
}

std::string filtering(const Settings &s, unsigned) {
    return " ! tomoremovestripesfiltering name=rings" + given("sigma", s.rings_sigma) +
           given("size", s.rings_size);
}

std::string fitting(const Settings &s, unsigned) {
    return " ! tomoremovestripesfitting name=rings" + given("order", s.rings_order) +
           given("sigma", s.rings_sigma);
}

std::string large(const Settings &s, unsigned) {
    return " ! tomoremovestripeslarge name=rings" + given("snr", s.rings_snr) + given("size", s.rings_size);
}

std::string dead(const Settings &s, unsigned) {
    return " ! tomoremovestripesdead name=rings" + given("snr", s.rings_snr) + given("size", s.rings_size);
}

std::string all(const Settings &s, unsigned) {
    return " ! tomoremovestripesall name=rings" + given("snr", s.rings_snr) +
           given("large-size", s.rings_large_size) + given("small-size", s.rings_size);
}

constexpr Method methods[] = {
    {"none", Values::absorption, none},
    {"fourier", Values::absorption, fourier},
    {"wavelet", Values::absorption, wavelet},
    {"titarenko", Values::absorption, titarenko},
    {"normalization", Values::absorption, normalization},
    {"double-flat-field", Values::transmission, double_flat_field},
    {"sorting", Values::transmission, sorting},
    {"filtering", Values::transmission, filtering},
    {"fitting", Values::transmission, fitting},
    {"large", Values::transmission, large},
    {"dead", Values::transmission, dead},
    {"all", Values::transmission, all},
};

const Method &method(const Settings &settings) {
    for (const auto &method : methods)
        if (settings.rings.is(method.name))
            return method;
    throw Error(GST_RESOURCE_ERROR_SETTINGS,
                text("rings=%s has no elements; take another method", settings.rings.value().c_str()));
}

} // namespace

bool rings_want_transmission(const Settings &settings) {
    return method(settings).values == Values::transmission;
}

std::string rings_line(const Settings &settings, unsigned columns) {
    return method(settings).line(settings, columns);
}

std::string slice_rings_line(const Settings &settings, double center) {
    if (settings.slice_rings.is("none"))
        return {};
    return " ! tomoremoverings name=slice-rings" + property("center-x", center) +
           property("center-y", center) + given("width", settings.slice_rings_width) +
           given("threshold", settings.slice_rings_threshold) + given("arc", settings.slice_rings_arc);
}

} // namespace tomo::reconstruction
