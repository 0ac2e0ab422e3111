// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daubechies.hpp"

#include <cmath>
#include <complex>

namespace tomo::correction {

namespace {

using Number = std::complex<long double>;

// All zeros at once of a polynomial whose coefficients begin with the constant one, by the method of
// Weierstrass, Durand and Kerner.
std::vector<Number> zeros_of(const std::vector<long double> &coefficients) {
    const std::size_t degree = coefficients.size() - 1;
    const auto value = [&](Number x) {
        Number sum = 0;
        for (std::size_t k = degree + 1; k-- > 0;)
            sum = sum * x + coefficients[k];
        return sum / coefficients[degree];
    };
    std::vector<Number> zeros;
    for (std::size_t i = 0; i < degree; i++)
        zeros.push_back(std::polar(0.6L, 2.0L * static_cast<long double>(M_PI) * (i + 0.25L) / degree));
    for (int step = 0; step < 1000; step++) {
        long double largest = 0;
        for (std::size_t i = 0; i < degree; i++) {
            Number change = value(zeros[i]);
            for (std::size_t j = 0; j < degree; j++)
                if (j != i)
                    change /= zeros[i] - zeros[j];
            zeros[i] -= change;
            largest = std::max(largest, std::abs(change));
        }
        if (largest < 1e-17L)
            break;
    }
    return zeros;
}

} // namespace

std::vector<double> daubechies(unsigned moments) {
    // The filter's square is cos^(2 moments) times a polynomial in y = sin^2(w / 2), whose coefficients are
    // binomials.
    std::vector<long double> of_sine{1.0L};
    for (unsigned k = 1; k < moments; k++)
        of_sine.push_back(of_sine.back() * (moments - 1 + k) / k);

    std::vector<Number> taps{1.0L};
    const auto add_zero = [&](Number zero) {
        taps.push_back(0.0L);
        for (std::size_t i = taps.size() - 1; i > 0; i--)
            taps[i] -= zero * taps[i - 1];
    };
    // Of each two zeros in z = exp(iw) the one inside of the circle: y = (2 - z - 1 / z) / 4.
    for (const Number y : zeros_of(of_sine)) {
        const Number middle = 1.0L - 2.0L * y, turn = std::sqrt(middle * middle - 1.0L);
        add_zero(std::abs(middle + turn) < 1.0L ? middle + turn : middle - turn);
    }
    for (unsigned i = 0; i < moments; i++)
        add_zero(-1.0L);

    long double sum = 0;
    for (const Number tap : taps)
        sum += tap.real();
    std::vector<double> filter;
    for (const Number tap : taps)
        filter.push_back(static_cast<double>(tap.real() * std::sqrt(2.0L) / sum));
    return filter;
}

} // namespace tomo::correction
