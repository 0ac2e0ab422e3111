// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "../fourier/filter-response.hpp"
#include "../measurement/sharpness.hpp"
#include "axis-candidates.hpp"

#include <gst/tomo/geometry/view-weights.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tomo {

namespace {

constexpr const char *file = "axis-sharpness.cl";
constexpr unsigned at_once = 4; // candidates of a work-item, as in the kernel

measurement::Sharpness measure_of(AxisMetric metric) {
    switch (metric) {
    case AxisMetric::absolute:
        return measurement::Sharpness::absolute;
    case AxisMetric::negativity:
        return measurement::Sharpness::negativity;
    default:
        return measurement::Sharpness::entropy;
    }
}

// The way by which the slice moves for each pixel by which the axis is wrong: that of all views, by least
// squares. Views of half a turn do not cancel, as those of a whole turn do.
struct Motion {
    double x = 0.0, y = 0.0;

    Motion(const std::vector<double> &angles, const std::vector<double> &weights) {
        double xx = 0.0, xy = 0.0, yy = 0.0, to_x = 0.0, to_y = 0.0;
        for (std::size_t i = 0; i < angles.size(); i++) {
            const double c = std::cos(angles[i]), s = std::sin(angles[i]), w = weights[i];
            xx += w * c * c, xy += w * c * s, yy += w * s * s, to_x += w * c, to_y += w * s;
        }
        const double area = xx * yy - xy * xy;
        if (area > 1e-9 * (xx + yy) * (xx + yy)) { // not of views from one direction
            x = (yy * to_x - xy * to_y) / area;
            y = (xx * to_y - xy * to_x) / area;
        }
    }
};

// Slices for candidates, at the same points of the object. Measures of these points are least at the axis
// (Donath, Beckmann, Schreyer, J. Opt. Soc. Am. A 23, 1048 (2006)). The measures add up or count pixels, so
// points that leave some out serve as well as all pixels, and their number bounds the time. Points that
// stayed in their place would see other parts of the object for each candidate, and that shifts the least
// value.
class Sharpness final : public CandidateMethod {
  public:
    Sharpness(Compute &compute, AxisMetric metric)
        : CandidateMethod(compute), own_(compute.device(), compute.tag()), measure_(measure_of(metric)) {
        own_.input_format("in", GST_TOMO_FORMAT_FLOAT32);
    }

    void begin(const ArrayInfo &in, const ViewAngles &views) override {
        constexpr unsigned least = 8;
        if (in.width < least || in.height < least)
            throw UnfitViews(
                text("slices of %u views with %u columns tell no axis; wanted at least %u of each", in.height,
                     in.width, least));
        const auto weights = projection_weights(views.angles).weights;
        const Motion motion(views.angles, weights);
        std::vector<float> table;
        for (std::size_t i = 0; i < weights.size(); i++) {
            const double c = std::cos(views.angles[i]), s = std::sin(views.angles[i]);
            for (const double v : {c, s, weights[i], motion.x * c + motion.y * s})
                table.push_back(static_cast<float>(v));
        }
        views_ = compute_.upload(table);
        plan_transforms(2 * in.width, in.height, 1);
        response_ = compute_.upload(response(padded_.width, in.width));
    }

  private:
    AxisFound find_in(const Array &in, const AxisRange &range) override {
        filter(in);
        const double width = in.width();
        AxisFound found;
        constexpr double narrow = 10.0;
        double from = range.from, to = range.to,
               step = to - from > 512.0    ? 4.0 // rows of so wide detectors are smooth
                      : to - from > 64.0   ? 2.0
                      : to - from > narrow ? 1.0
                                           : 0.25;
        // Coarse with few views, finer about the least value of the stage before.
        for (const auto &[points, most_views, finer, reach] :
             {Stage{5000, 128, 0.5, 4.0}, Stage{5000, 512, 0.125, 1.0}, Stage{10000, 65536, 0.0, 0.0}}) {
            std::vector<double> candidates;
            for (unsigned k = 0; from + k * step <= to + 1e-9; k++)
                candidates.push_back(from + k * step);
            // Over many columns the other measures follow the share of the field of view that views see.
            const auto what = to - from > width / 3.0 ? measurement::Sharpness::entropy : measure_;
            const bool is_entropy = what == measurement::Sharpness::entropy;
            // Entropy wants pixels that all views see, the others the whole object and the air around.
            const double middle = (from + to) / 2.0;
            const double radius = is_entropy           ? 0.9 * std::min(from, width - to)
                                  : to - from > narrow ? width / 2.0
                                                       : std::min(middle, width - middle);
            const unsigned stride = std::max(1u, in.height() / most_views);
            const auto values = measures(candidates, grid(std::max(radius, 4.0), points), stride, in, what);
            if (found.curve.axes.empty() &&
                what == measure_) // later stages have other points, with other values
                found.curve = {candidates, values};
            const auto least = std::min_element(values.begin(), values.end(), [](double a, double b) {
                return std::isnan(b) ? !std::isnan(a) : a < b;
            });
            if (!std::isfinite(*least) || *least == *std::max_element(values.begin(), values.end()))
                return found;
            const double axis = candidates[std::size_t(least - values.begin())];
            if (finer == 0.0)
                settle(found, candidates, values);
            from = std::max(range.from, axis - reach);
            to = std::min(range.to, axis + reach);
            step = finer;
        }
        return found;
    }

    struct Stage {
        double points;
        unsigned most_views;
        double next_step, reach;
    };

    // A parabola by least squares through the values about the least one.
    static void settle(AxisFound &found, const std::vector<double> &axes, const std::vector<double> &values) {
        const auto least = std::size_t(std::min_element(values.begin(), values.end()) - values.begin());
        constexpr std::size_t reach = 4;
        found.axis = axes[least];
        found.uncertainty = axes.size() > 1 ? axes[1] - axes[0] : 1.0;
        if (least < reach || least + reach >= axes.size())
            return;
        double x2 = 0.0, x4 = 0.0, y = 0.0, xy = 0.0, x2y = 0.0;
        const double n = 2 * reach + 1;
        const auto place = [&](std::size_t k) { return axes[k] - axes[least]; };
        for (std::size_t k = least - reach; k <= least + reach; k++) {
            const double x = place(k), v = values[k] - values[least];
            x2 += x * x, x4 += x * x * x * x, y += v, xy += x * v, x2y += x * x * v;
        }
        const double bend = (n * x2y - x2 * y) / (n * x4 - x2 * x2), slope = xy / x2,
                     level = (y - bend * x2) / n;
        if (!(bend > 0.0) || std::abs(slope / bend / 2.0) > place(least + reach))
            return;
        double left = 0.0;
        for (std::size_t k = least - reach; k <= least + reach; k++) {
            const double x = place(k);
            left += std::pow(values[k] - values[least] - (level + slope * x + bend * x * x), 2);
        }
        found.axis = axes[least] - slope / bend / 2.0;
        const double variance = left / (n - 3.0), of_bend = variance * n / (n * x4 - x2 * x2);
        // Beyond what the values scatter, the measures of pixels do not fall together exactly at the axis.
        constexpr double systematic = 0.1;
        found.uncertainty = std::sqrt(systematic * systematic + variance / x2 / (4.0 * bend * bend) +
                                      of_bend * slope * slope / (4.0 * std::pow(bend, 4)));
    }

    // The ramp (Kak, Slaney 1988), and a Gaussian, since noise and rings of single pixels hide what the axis
    // changes. They are the stronger in relation to the object, the more pixels that has.
    static std::vector<float> response(unsigned n, unsigned width) {
        constexpr double narrow = 256.0;
        const double sigma = 1.5 * std::sqrt(std::max(1.0, width / narrow)); // pixels
        const auto ramp = fourier::response(fourier::Response::ramp_fromreal, n, {});
        std::vector<float> result;
        for (unsigned k = 0; k < n; k++) {
            const double f = std::min(k, n - k) / double(n);
            const double value = ramp[k].real() * std::exp(-2.0 * std::pow(G_PI * sigma * f, 2));
            result.push_back(static_cast<float>(value));
            result.push_back(0.0f);
        }
        return result;
    }

    void filter(const Array &in) {
        Array padded = compute_.allocate(padded_);
        compute_.launch(compute_.kernel("sharpness_pad", "", file), WorkSize(padded_), in, padded,
                        cl_uint{in.width()});
        transforms_.run(compute_, FftDirection::Forward, padded, padded);
        compute_.launch(compute_.kernel("sharpness_filter", "", file), WorkSize(padded_), ReadWrite{padded},
                        BareBuffer{response_});
        transforms_.run(compute_, FftDirection::Inverse, padded, padded);
        rows_ = compute_.allocate({GST_TOMO_FORMAT_FLOAT32, in.width(), in.height()});
        compute_.launch(compute_.kernel("sharpness_rows", "", file), WorkSize(rows_.info()),
                        std::as_const(padded), rows_, cl_uint{padded_.width});
    }

    // About so many points of a square grid within a circle about the axis, no closer than half a pixel.
    static std::vector<float> grid(double radius, double number) {
        const double step = std::max(0.5, std::sqrt(G_PI * radius * radius / number));
        const int reach = static_cast<int>(radius / step);
        std::vector<float> points;
        for (int j = -reach; j <= reach; j++)
            for (int i = -reach; i <= reach; i++)
                if ((i * i + j * j) * step * step <= radius * radius) {
                    points.push_back(static_cast<float>(i * step));
                    points.push_back(static_cast<float>(j * step));
                }
        return points;
    }

    std::vector<double> measures(const std::vector<double> &axes, const std::vector<float> &grid,
                                 unsigned stride, const Array &in, measurement::Sharpness what) {
        const Array points = compute_.upload(grid);
        const auto number = static_cast<unsigned>(grid.size() / 2);
        std::vector<double> result;
        constexpr std::size_t most = 64; // at a time
        for (std::size_t first = 0; first < axes.size(); first += most) {
            const std::size_t count = std::min(most, axes.size() - first);
            const auto candidates = blocks(axes.data() + first, count, at_once);
            Array slices =
                compute_.allocate({GST_TOMO_FORMAT_FLOAT32, number, 1, candidates.number * at_once});
            compute_.launch(compute_.kernel("sharpness_slices", "", file),
                            WorkSize(number, candidates.number).groups(64), std::as_const(rows_), slices,
                            BareBuffer{points}, BareBuffer{views_}, BareBuffer{candidates.axes},
                            cl_float((axes.front() + axes.back()) / 2.0), cl_uint{number},
                            cl_uint{in.width()}, cl_uint{in.height()}, cl_uint{stride});
            const auto values = measurement::sharpness(own_, slices, what, 0.0f);
            result.insert(result.end(), values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
        }
        return result;
    }

    Compute own_; // whose array `in` is that of slices
    const measurement::Sharpness measure_;
    Array views_, response_, rows_;
};

} // namespace

std::unique_ptr<AxisMethod> axis_by_sharpness(Compute &compute, AxisMetric metric) {
    return std::make_unique<Sharpness>(compute, metric);
}

} // namespace tomo
