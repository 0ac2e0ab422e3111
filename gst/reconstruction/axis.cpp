// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/axis.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/support/error.hpp>
#include <gst/tomo/support/median.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo::reconstruction {

namespace {

constexpr double least_sigma = 0.02; // pixels, that no row is believed to be better than
constexpr double worst_sigma = 5.0;  // of a row that counts
constexpr double gaussian = 1.4826;  // sigma over the median distance
constexpr double biweight = 4.685;   // sigmas beyond which a row does not count

double degrees_of(double slope) { return degrees(std::atan(slope)); }

Json numbers(const std::vector<double> &values) {
    Json list = Json::list();
    for (const double v : values)
        list.add(Json::number(v));
    return list;
}

struct Line {
    double at_middle = 0.0, slope = 0.0;
    double variance = 0.0, slope_variance = 0.0;
};

// By weights `w`, with variances that follow from the values' `sigma`.
Line weighted_line(const std::vector<double> &x, const std::vector<double> &y, const std::vector<double> &w,
                   const std::vector<double> &sigma) {
    double s = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
    for (std::size_t i = 0; i < x.size(); i++) {
        s += w[i];
        sx += w[i] * x[i];
        sy += w[i] * y[i];
        sxx += w[i] * x[i] * x[i];
        sxy += w[i] * x[i] * y[i];
    }
    Line line;
    const double determinant = s * sxx - sx * sx;
    const bool has_slope = determinant > 1e-9 * s * sxx;
    if (has_slope) {
        line.slope = (s * sxy - sx * sy) / determinant;
        line.at_middle = (sxx * sy - sx * sxy) / determinant;
    } else {
        line.at_middle = sy / s;
    }
    for (std::size_t i = 0; i < x.size(); i++) {
        const double share = has_slope ? w[i] * (sxx - sx * x[i]) / determinant : w[i] / s,
                     of_slope = has_slope ? w[i] * (s * x[i] - sx) / determinant : 0.0;
        line.variance += std::pow(share * sigma[i], 2);
        line.slope_variance += std::pow(of_slope * sigma[i], 2);
    }
    return line;
}

// The harmonic mean of the rows' variances is that of the good rows, also where there are few. A row's own
// variance is told by few columns and may come out far too small by chance: sigmas for distances and, with
// more distrust, variances for weights, so that a few such rows don't outweigh all others.
struct Trust {
    std::vector<double> sigma, variance;

    explicit Trust(const std::vector<double> &told) {
        constexpr double distrust = 4.0;
        double inverses = 0.0;
        for (const double each : told)
            inverses += 1.0 / (each * each);
        const double common = static_cast<double>(told.size()) / inverses;
        for (const double each : told) {
            sigma.push_back(std::sqrt(each * each + common));
            variance.push_back(each * each + distrust * common);
        }
    }
};

} // namespace

AxisEstimate fit_axis(std::vector<AxisOfRow> rows, double middle_row, const std::string &method) {
    std::vector<double> x, y, sigma;
    for (const auto &row : rows)
        if (std::isfinite(row.axis) && row.uncertainty <= worst_sigma) {
            x.push_back(row.row - middle_row);
            y.push_back(row.axis);
            sigma.push_back(std::max(row.uncertainty, least_sigma));
        }
    if (x.empty())
        throw AxisNotFound(text("%s finds no axis in any of %zu sinograms", method.c_str(), rows.size()));
    const Trust trust(sigma);
    // A robust beginning: the median, without tilt.
    Line line{median(y), 0.0, 0.0, 0.0};
    std::vector<double> weights(x.size());
    double scale = 1.0;
    for (unsigned round = 0; round < 30; round++) {
        std::vector<double> distances;
        for (std::size_t i = 0; i < x.size(); i++)
            distances.push_back(std::abs(y[i] - line.at_middle - line.slope * x[i]) / trust.sigma[i]);
        scale = std::max(gaussian * median(distances), 1.0);
        double sum = 0.0;
        for (std::size_t i = 0; i < x.size(); i++) {
            const double u = distances[i] / (biweight * scale);
            weights[i] = u < 1.0 ? (1.0 - u * u) * (1.0 - u * u) / trust.variance[i] : 0.0;
            sum += weights[i];
        }
        if (!(sum > 0.0))
            break;
        const Line next = weighted_line(x, y, weights, trust.sigma);
        const bool settled = std::abs(next.at_middle - line.at_middle) < 1e-6;
        line = next;
        if (settled)
            break;
    }
    AxisEstimate estimate;
    estimate.axis = line.at_middle;
    estimate.tilt = line.slope;
    // The rows' own sigmas, or their spread where that says more.
    estimate.uncertainty = scale * std::sqrt(line.variance);
    estimate.tilt_uncertainty = scale * std::sqrt(line.slope_variance);
    estimate.method = method;
    for (const auto &row : rows)
        estimate.pairs += row.pairs;
    estimate.rows = std::move(rows);
    estimate.used = static_cast<std::size_t>(
        std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0.0; }));
    return estimate;
}

double AxisEstimate::tilt_degrees() const { return degrees_of(tilt); }
double AxisEstimate::tilt_uncertainty_degrees() const { return degrees_of(tilt_uncertainty); }

bool AxisEstimate::tilt_matters(double rows) const {
    constexpr double visible = 0.5, sigmas = 4.0; // pixels at the edge, and above its uncertainty
    return std::abs(tilt) * rows / 2.0 > visible && std::abs(tilt) > sigmas * tilt_uncertainty;
}

// Names carry their unit. `axis`, `uncertainty` and `tilt` are the short names of three of them, in pixels,
// pixels and columns per row.
Json AxisEstimate::json() const {
    Json json = Json::object();
    json.set("axis", Json::number(axis));
    json.set("uncertainty", Json::number(uncertainty));
    json.set("tilt", Json::number(tilt));
    json.set("axis-px", Json::number(axis));
    json.set("uncertainty-px", Json::number(uncertainty));
    json.set("tilt-degrees", Json::number(tilt_degrees()));
    json.set("tilt-uncertainty-degrees", Json::number(tilt_uncertainty_degrees()));
    json.set("method", Json::text(method));
    if (!warning.empty())
        json.set("warning", Json::text(warning));
    if (!side.empty())
        json.set("side", Json::text(side));
    if (!std::isnan(axis_of_scan))
        json.set("axis-of-scan-px", Json::number(axis_of_scan));
    Json list = Json::list();
    for (const auto &row : rows) {
        Json item = Json::object();
        item.set("row-px", Json::number(row.row));
        item.set("axis-px", Json::number(row.axis));
        item.set("uncertainty-px", Json::number(row.uncertainty));
        item.set("pairs", Json::integer(guint64{row.pairs}));
        list.add(std::move(item));
    }
    json.set("pairs", Json::integer(guint64{pairs}));
    json.set("used-rows", Json::integer(guint64{used}));
    Json methods = Json::list();
    for (const auto &one : by_method) {
        Json item = Json::object();
        item.set("method", Json::text(one.method));
        if (one.failure.empty()) {
            item.set("axis-px", Json::number(one.axis));
            item.set("uncertainty-px", Json::number(one.uncertainty));
            item.set("tilt-degrees", Json::number(degrees_of(one.tilt)));
            item.set("tilt-uncertainty-degrees", Json::number(degrees_of(one.tilt_uncertainty)));
        } else {
            item.set("failure", Json::text(one.failure));
        }
        methods.add(std::move(item));
    }
    if (!by_method.empty())
        json.set("methods", std::move(methods));
    Json of_curve = Json::object();
    of_curve.set("method", Json::text(curve.method));
    of_curve.set("row-px", Json::number(curve.row));
    of_curve.set("axis-px", numbers(curve.axes));
    of_curve.set("value", numbers(curve.values));
    json.set("curve", std::move(of_curve));
    json.set("rows", std::move(list));
    return json;
}

} // namespace tomo::reconstruction
