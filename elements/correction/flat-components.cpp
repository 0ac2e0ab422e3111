// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flat-components.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace tomo {

namespace {

// A symmetric matrix, and Jacobi's rotations that make it diagonal.
class Symmetric {
  public:
    Symmetric(std::vector<double> values, unsigned n)
        : n_(n), values_(std::move(values)), vectors_(std::size_t{n} * n) {
        for (unsigned i = 0; i < n; i++)
            vectors_[i * n + i] = 1.0;
    }

    void make_diagonal() {
        constexpr unsigned most_sweeps = 60;
        for (unsigned sweep = 0; sweep < most_sweeps && off_diagonal() > 1e-26 * diagonal(); sweep++)
            for (unsigned p = 0; p + 1 < n_; p++)
                for (unsigned q = p + 1; q < n_; q++)
                    rotate(p, q);
    }
    double value(unsigned k) const { return values_[k * n_ + k]; }
    double vector(unsigned k, unsigned i) const { return vectors_[i * n_ + k]; }

  private:
    double off_diagonal() const {
        double sum = 0.0;
        for (unsigned i = 0; i < n_; i++)
            for (unsigned j = 0; j < i; j++)
                sum += values_[i * n_ + j] * values_[i * n_ + j];
        return sum;
    }
    double diagonal() const {
        double sum = 0.0;
        for (unsigned i = 0; i < n_; i++)
            sum += value(i) * value(i);
        return sum;
    }

    void rotate(unsigned p, unsigned q) {
        const double coupling = values_[p * n_ + q];
        if (coupling == 0.0)
            return;
        const double half = (value(q) - value(p)) / (2.0 * coupling);
        const double tangent = (half >= 0.0 ? 1.0 : -1.0) / (std::abs(half) + std::hypot(half, 1.0));
        const double cosine = 1.0 / std::hypot(tangent, 1.0), sine = tangent * cosine;
        const auto turn = [&](double &a, double &b) {
            const double before = a;
            a = cosine * before - sine * b;
            b = sine * before + cosine * b;
        };
        for (unsigned i = 0; i < n_; i++)
            turn(values_[i * n_ + p], values_[i * n_ + q]);
        for (unsigned i = 0; i < n_; i++)
            turn(values_[p * n_ + i], values_[q * n_ + i]);
        for (unsigned i = 0; i < n_; i++)
            turn(vectors_[i * n_ + p], vectors_[i * n_ + q]);
    }

    const unsigned n_;
    std::vector<double> values_, vectors_;
};

} // namespace

std::vector<Component> principal_components(const std::vector<double> &products, unsigned count) {
    Symmetric matrix(products, count);
    matrix.make_diagonal();
    std::vector<Component> components;
    for (unsigned k = 0; k < count; k++) {
        Component component{std::max(matrix.value(k), 0.0), {}};
        for (unsigned i = 0; i < count; i++)
            component.weights.push_back(matrix.vector(k, i));
        components.push_back(std::move(component));
    }
    std::stable_sort(components.begin(), components.end(),
                     [](const Component &a, const Component &b) { return a.variance > b.variance; });
    return components;
}

// The products of independent images are a matrix of Wishart's distribution, which Bartlett's triangle gives
// without the images.
std::vector<double> variances_of_noise(unsigned count, double variance, double pixels) {
    // Those of many images hardly differ.
    const double cube = std::pow(static_cast<double>(count), 3.0);
    const auto draws = static_cast<unsigned>(std::clamp(2e7 / cube, 3.0, 20.0));
    std::mt19937_64 random(1); // the same ones in each run
    std::normal_distribution<double> normal;
    std::vector<double> sums(count), squares(count);
    for (unsigned draw = 0; draw < draws; draw++) {
        std::vector<double> triangle(std::size_t{count} * count), products(triangle.size());
        for (unsigned i = 0; i < count; i++) {
            for (unsigned j = 0; j < i; j++)
                triangle[i * count + j] = normal(random);
            const double degrees = std::max(pixels - i, 1.0);
            triangle[i * count + i] = std::sqrt(std::gamma_distribution<double>(degrees / 2.0, 2.0)(random));
        }
        // The mean of the images is taken off.
        for (unsigned j = 0; j < count; j++) {
            double mean = 0.0;
            for (unsigned i = 0; i < count; i++)
                mean += triangle[i * count + j] / count;
            for (unsigned i = 0; i < count; i++)
                triangle[i * count + j] -= mean;
        }
        for (unsigned i = 0; i < count; i++)
            for (unsigned j = 0; j < count; j++)
                for (unsigned k = 0; k < count; k++)
                    products[i * count + j] +=
                        triangle[i * count + k] * triangle[j * count + k] * variance / pixels;
        const auto components = principal_components(products, count);
        for (unsigned k = 0; k < count; k++) {
            sums[k] += components[k].variance / draws;
            squares[k] += components[k].variance * components[k].variance / draws;
        }
    }
    for (unsigned k = 0; k < count; k++)
        sums[k] += 2.0 * std::sqrt(std::max(squares[k] - sums[k] * sums[k], 0.0));
    return sums;
}

} // namespace tomo
