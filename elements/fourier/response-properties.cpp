// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "response-properties.hpp"

#include <gst/tomo/bases/effective.hpp>

namespace tomo::fourier {

ResponseProperties::ResponseProperties(Element *element)
    : filter{element,
             "filter",
             Response::ramp_fromreal,
             {{Response::ramp, "ramp", "f, and 0.25 / N at f = 0"},
              {Response::ramp_fromreal, "ramp-fromreal",
               "Transform of the band-limited ramp's kernel in real space"},
              {Response::butterworth, "butterworth", "f / (1 + (f / cutoff)^(2 order))"},
              {Response::faris_byer, "faris-byer",
               "For beam deflections: -i sign(f) / (2 pi tau) + sin(theta) f / (2 tau)"},
              {Response::hamming, "hamming", "f (0.54 + 0.46 cos(pi f / cutoff)) below cutoff, 0 above"},
              {Response::bh3, "bh3", "f (0.42 + 0.5 cos(pi f) + 0.08 cos(2 pi f)), and 0.25 / N at f = 0"}},
             When::reshapes,
             "Response; f is the frequency in cycles per pixel, N the length of the transform"},
      cutoff{element,        "cutoff",
             0.5f,           {0.0f, 1.0f},
             When::reshapes, "Cycles per pixel, 0.5 is Nyquist's frequency; of butterworth and hamming"},
      order{element, "order", 4.0f, {2.0f, 32.0f}, When::reshapes, "Order of butterworth"},
      tau{element,        "tau",
          0.1f,           {-FLT_MAX, FLT_MAX},
          When::reshapes, "Distance of samples, of faris-byer; not 0"},
      theta{element,        "theta",
            1.0f,           {-FLT_MAX, FLT_MAX},
            When::reshapes, "Angle in radians whose sine mixes the ramp into faris-byer"},
      scale{element, "scale", 1.0f, {-FLT_MAX, FLT_MAX}, When::reshapes, "Factor on the response"} {}

std::vector<std::complex<double>> ResponseProperties::of_length(unsigned n) const {
    if (filter == Response::faris_byer && tau == 0.0f)
        throw Error(GST_LIBRARY_ERROR_SETTINGS, "tau=0: filter=faris-byer needs the distance of samples");
    return response(filter, n, {cutoff, order, tau, theta, scale});
}

void report_response(Element &element, const ResponseProperties &response, unsigned length) {
    EffectiveValues report;
    report.add("response", response.filter.nick()).add("padded-width", length, "pixel");
    const auto add = [&](const Property<float> &p, const char *unit = nullptr) {
        report.add(p.name(), double{p}, unit);
    };
    if (response.filter == Response::butterworth || response.filter == Response::hamming)
        add(response.cutoff, "1/pixel");
    if (response.filter == Response::butterworth)
        add(response.order);
    if (response.filter == Response::faris_byer) {
        add(response.tau);
        add(response.theta);
    }
    if (response.scale != 1.0f)
        report.add("filter-scale", double{response.scale});
    element.report_effective(report);
}

Array upload_response(Compute &compute, const std::vector<std::complex<double>> &response, double factor) {
    std::vector<float> table;
    table.reserve(2 * response.size());
    for (const auto &value : response) {
        table.push_back(static_cast<float>(value.real() * factor));
        table.push_back(static_cast<float>(value.imag() * factor));
    }
    return compute.upload(table).as({GST_TOMO_FORMAT_COMPLEX64, response.size(), 1});
}

} // namespace tomo::fourier
