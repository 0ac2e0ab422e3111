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

constexpr Method methods[] = {
    {"none", Values::absorption, none},
    {"fourier", Values::absorption, fourier},
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

} // namespace tomo::reconstruction
