// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
//
// For tests of operators: random arrays, and norms in float64.
#pragma once

#include "support.hpp"

#include <gst/operators/projector.hpp>
#include <gst/tomo/compute/compute.hpp>
#include <gst/tomo/device/context.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gst/check/gstcheck.h> // last: it defines macros named like members of the standard library

namespace tomotest {

inline std::shared_ptr<tomo::Device> open_device() { return tomo::Context::create("")->default_device(); }

inline std::vector<double> fill_randomly(const tomo::Array &array) {
    std::vector<double> values(array.info().samples());
    const tomo::Host<float> host(array);
    for (std::size_t i = 0; i < values.size(); i++) {
        host[i] = static_cast<float>(uniform(-1, 1));
        values[i] = host[i];
    }
    return values;
}

inline std::vector<double> values_of(const tomo::Array &array) {
    const tomo::Host<const float> host(array);
    return {host.data(), host.data() + array.info().samples()};
}

inline double product(const std::vector<double> &a, const std::vector<double> &b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

inline double norm(const std::vector<double> &a) { return std::sqrt(product(a, a)); }

inline double distance(std::vector<double> a, const std::vector<double> &b) {
    for (std::size_t i = 0; i < a.size(); i++)
        a[i] -= b[i];
    return norm(a) / std::max(norm(b), 1e-30);
}

struct Pair {
    std::vector<double> x, y, forward, back; // x, y, A x, A* y
};

// Of random x and y. x is 0 where it is not wanted.
inline Pair apply(tomo::Compute &compute, tomo::Projector &a, unsigned slices,
                  const std::function<bool(std::size_t)> &is_wanted = {}) {
    tomo::Array x = compute.allocate(a.volume(slices)), y = compute.allocate(a.projections(slices));
    Pair pair{fill_randomly(x), fill_randomly(y), {}, {}};
    if (is_wanted) {
        const tomo::Host<float> host(x);
        for (std::size_t i = 0; i < pair.x.size(); i++)
            if (!is_wanted(i))
                host[i] = 0.0f, pair.x[i] = 0.0;
    }
    tomo::Array ax = compute.allocate(a.projections(slices)), ay = compute.allocate(a.volume(slices));
    a.forward(x, ax);
    a.back(y, ay);
    pair.forward = values_of(ax);
    pair.back = values_of(ay);
    return pair;
}

// Fails unless the error says all of them.
inline void expect_words(const std::string &error, const std::vector<std::string> &words) {
    for (const auto &word : words)
        fail_unless(error.find(word) != std::string::npos, "'%s' doesn't say '%s'", error.c_str(),
                    word.c_str());
}

} // namespace tomotest
