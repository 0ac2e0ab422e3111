// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "axis-pairs.hpp"

#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

// The overlap of a turn's two halves, one of them mirrored: the columns at the edge of one half are searched
// in the other one. Vo, Drakopoulos, Reinhard, Atwood, Opt. Express 29, 17849 (2021).
class Overlap final : public AxisMethod {
  public:
    explicit Overlap(Compute &compute) : compute_(compute), pairs_(compute) {}

    void begin(const ArrayInfo &sinograms, const ViewAngles &views) override {
        pairs_.begin(sinograms, views, 64);
        constexpr unsigned least = 8;
        if (pairs_.count() < least)
            throw UnfitViews(
                text("only %zu pairs of views are half a turn apart, and the overlap wants a whole turn: "
                     "take another method; %s",
                     pairs_.count(), views.sentence.c_str()));
        window_ = std::min(sinograms.width, std::clamp(sinograms.width / 16, 8u, 100u));
    }
    void report(EffectiveValues &report) const override {
        pairs_.report(report);
        report.add("axis-window", window_, "px");
    }

    std::vector<AxisFound> find(const Array &in, const AxisRange &range) override {
        const unsigned width = in.width(), places = 2 * (width - window_ + 1);
        const auto pairs = unsigned(pairs_.compared());
        const Array views = pairs_.views(in, PairsOnDevice::Nan::is_zero);
        Array moments = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, places, parts * numbers, in.depth()});
        compute_.launch(compute_.kernel("overlap_moments", "", "axis-overlap.cl"),
                        WorkSize(places, parts, in.depth()).groups(64), views, moments, cl_uint{width},
                        cl_uint{window_}, cl_uint{pairs}, cl_uint{parts});
        const Host<const float> of_places(moments);
        const Host<const float> rows(views);
        std::vector<AxisFound> result;
        for (unsigned z = 0; z < in.depth(); z++)
            result.push_back(find(of_places.data() + std::size_t{z} * parts * numbers * places,
                                  rows.data() + std::size_t{z} * 2 * pairs * width, width, range));
        return result;
    }

  private:
    static constexpr unsigned parts = 16;  // of the pairs, for each place of the window
    static constexpr unsigned numbers = 6; // of a part: samples, two means, two variances, covariance

    AxisFound find(const float *moments, const float *rows, unsigned width, const AxisRange &range) const {
        const unsigned of_side = width - window_ + 1;
        std::vector<std::pair<double, double>> curve;
        for (unsigned place = 0; place < 2 * of_side; place++) {
            const double correlation = this->correlation(moments, place, 2 * of_side);
            // The kernel's sum of columns plus 1, over 2.
            const double axis = place < of_side ? (place + window_) / 2.0 : (place - of_side + width) / 2.0;
            if (std::isfinite(correlation) && range.has(axis))
                curve.emplace_back(axis, 1.0 - correlation);
        }
        AxisFound found;
        found.pairs = unsigned(pairs_.count());
        if (curve.empty())
            return found;
        const auto best = *std::min_element(curve.begin(), curve.end(),
                                            [](const auto &a, const auto &b) { return a.second < b.second; });
        constexpr double alike = 0.5; // more than columns of nothing but noise are
        if (best.second < alike)
            found = axis_near(best.first, rows, pairs_.count(), width);
        std::stable_sort(curve.begin(), curve.end(),
                         [](const auto &a, const auto &b) { return a.first < b.first; });
        for (const auto &[axis, value] : curve) {
            found.curve.axes.push_back(axis);
            found.curve.values.push_back(value);
        }
        return found;
    }

    // Pearson's, from the moments of the parts (Chan, Golub, LeVeque 1979). NaN where one window has no
    // structure.
    static double correlation(const float *moments, unsigned place, unsigned places) {
        double n = 0.0, mean_u = 0.0, mean_v = 0.0, uu = 0.0, vv = 0.0, uv = 0.0;
        for (unsigned part = 0; part < parts; part++) {
            const auto moment = [&](unsigned k) -> double {
                return moments[(part * numbers + k) * places + place];
            };
            const double m = moment(0), all = n + m;
            if (!(m > 0.0))
                continue;
            const double du = moment(1) - mean_u, dv = moment(2) - mean_v;
            uu += moment(3) + du * du * n * m / all;
            vv += moment(4) + dv * dv * n * m / all;
            uv += moment(5) + du * dv * n * m / all;
            mean_u += du * m / all;
            mean_v += dv * m / all;
            n = all;
        }
        return uu > 0.0 && vv > 0.0 ? uv / std::sqrt(uu * vv) : std::nan("");
    }

    Compute &compute_;
    PairsOnDevice pairs_;
    unsigned window_ = 0;
};

} // namespace

std::unique_ptr<AxisMethod> axis_by_overlap(Compute &compute) { return std::make_unique<Overlap>(compute); }

} // namespace tomo
