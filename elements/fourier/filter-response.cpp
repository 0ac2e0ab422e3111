// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "filter-response.hpp"

#include <algorithm>
#include <cmath>

namespace tomo::fourier {

namespace {

constexpr double pi = 3.14159265358979323846;

// Transforms of kernels that are zero at even lags: cosine sums for even kernels, sine sums for odd ones.
class OddLags {
  public:
    explicit OddLags(unsigned n) : n_(n), circle_(n) {
        for (unsigned m = 0; m < n; m++)
            circle_[m] = std::polar(1.0, -2.0 * pi * m / n);
    }

    // Sum over odd lags j in (-n/2, n/2] of value(j) exp(-2 pi i j k / n); the lag n/2 stands for both signs.
    template <class Value>
    std::complex<double> sum(unsigned k, bool antisymmetric, Value value) const {
        std::complex<double> total = 0.0;
        for (std::uint64_t j = 1; 2 * j <= n_; j += 2) {
            const auto turn = circle_[j * k % n_];
            if (2 * j == n_)
                total += antisymmetric ? 0.0 : value(j) * turn.real();
            else
                total += antisymmetric ? std::complex<double>(0.0, 2.0 * value(j) * turn.imag())
                                       : std::complex<double>(2.0 * value(j) * turn.real());
        }
        return total;
    }

  private:
    unsigned n_;
    std::vector<std::complex<double>> circle_;
};

std::complex<double> ramp_from_real(const OddLags &lags, unsigned k) {
    return 0.25 + lags.sum(k, false, [](double j) { return -1.0 / (pi * pi * j * j); });
}

double windowed_ramp(Response kind, double f, unsigned n, const ResponseParameters &p) {
    switch (kind) {
    case Response::butterworth:
        return p.cutoff > 0.0 ? f * p.scale / (1.0 + std::pow(f / p.cutoff, 2.0 * p.order)) : 0.0;
    case Response::hamming:
        return f < p.cutoff ? f * p.scale * (0.54 + 0.46 * std::cos(pi * f / p.cutoff)) : 0.0;
    case Response::bh3:
        if (f == 0.0)
            return 0.25 / n;
        return f * p.scale * (0.42 + 0.5 * std::cos(pi * f) + 0.08 * std::cos(2.0 * pi * f));
    default:
        return f == 0.0 ? 0.25 / n : f * p.scale;
    }
}

} // namespace

std::vector<std::complex<double>> response(Response kind, unsigned n, const ResponseParameters &p) {
    std::vector<std::complex<double>> h(n);
    const OddLags lags(n);
    for (unsigned k = 0; 2 * k <= n; k++) {
        if (kind == Response::ramp_fromreal)
            h[k] = p.scale * ramp_from_real(lags, k);
        else if (kind == Response::faris_byer)
            h[k] = p.scale * (lags.sum(k, true, [&](double j) { return 1.0 / (pi * pi * p.tau * j); }) +
                              std::sin(p.theta) / (2.0 * p.tau) * ramp_from_real(lags, k));
        else
            h[k] = windowed_ramp(kind, static_cast<double>(k) / n, n, p);
        if (k > 0)
            h[n - k] = std::conj(h[k]);
    }
    return h;
}

} // namespace tomo::fourier
