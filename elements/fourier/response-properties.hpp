// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The choice of a filter, for elements that have one.
#pragma once

#include "filter-response.hpp"

#include <gst/tomo/bases/element.hpp>

namespace tomo::fourier {

struct ResponseProperties {
    explicit ResponseProperties(Element *element);

    // H[0 .. n - 1], see response(); throws Error on values that don't go together.
    std::vector<std::complex<double>> of_length(unsigned n) const;

    Choice<Response> filter;
    Property<float> cutoff, order, tau, theta, scale;
};

// Which response of which length is in force, as effective values of the element.
void report_response(Element &element, const ResponseProperties &response, unsigned length);

// A response as an array of complex samples, times a factor.
Array upload_response(Compute &compute, const std::vector<std::complex<double>> &response,
                      double factor = 1.0);

} // namespace tomo::fourier
