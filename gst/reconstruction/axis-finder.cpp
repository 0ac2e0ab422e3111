// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/axis-finder.hpp>
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/distortion.hpp>
#include <gst/reconstruction/general-axis.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/gsttomograph.h>
#include <gst/tomo/support/number-list.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

namespace tomo::reconstruction {

namespace {

constexpr double edge_of_rays = 0.05; // of the columns, at either end, where few rays meet their mirror image
constexpr double negligible = 0.5;    // pixels between two methods
constexpr double sigmas = 3.0;     // between two methods that agree

// Of two methods, as far as the rows differ from each other.
double sigma_of(const AxisEstimate &estimate) { return std::max(estimate.uncertainty, 0.02); }

bool agree(const AxisEstimate &one, const AxisEstimate &other) {
    return std::abs(one.axis - other.axis) <=
           std::max(negligible, sigmas * std::hypot(sigma_of(one), sigma_of(other)));
}

bool was_found(const AxisEstimate &estimate) { return estimate.failure.empty(); }

} // namespace

AxisFinder::AxisFinder(const Settings &settings, const Inspection &scan, RunLine run_line)
    : scan_(scan), run_line_(std::move(run_line)) {
    looked_.assign(settings);
    // An axis for all values of another number.
    if (const auto sweep = sweep_of(settings); sweep && !sweep->is_of_axis())
        sweep->apply(sweep->values.size() / 2, settings, looked_);
    take_first_turn(looked_, scan_);
    // Rows as the detector has them, some of them, quickly.
    for (ParameterBase *parameter :
         {static_cast<ParameterBase *>(&looked_.binning), static_cast<ParameterBase *>(&looked_.outliers),
          static_cast<ParameterBase *>(&looked_.reduction_mode), static_cast<ParameterBase *>(&looked_.rings),
          static_cast<ParameterBase *>(&looked_.result), static_cast<ParameterBase *>(&looked_.roll),
          static_cast<ParameterBase *>(&looked_.retrieval_method)})
        parameter->reset();
    if (looked_.flat_correction.is("dynamic")) { // for which all rows would be read
        looked_.flat_correction.reset();
        looked_.flat_components.reset();
    }
}

AxisEstimate AxisFinder::find() {
    auto found = mirrors_views(looked_, scan_) ? find_by(methods()) : find_in_general();
    if (scan_.is_whole_turn())
        found.side = found.axis < scan_.image.width / 2.0 ? "left" : "right";
    return found;
}

AxisEstimate AxisFinder::find_by(const std::vector<std::string> &methods) {
    auto all = estimates(methods, looked_.axis_rows, given_range());
    if (methods.size() == 1) {
        if (!was_found(all.front()))
            throw AxisNotFound(all.front().failure);
        return std::move(all.front());
    }
    // Nothing but air at the edges of a turn about an axis in the middle.
    if (!was_found(all.back()) && all.back().method == "overlap" && covers_half_turn()) {
        const auto spectrum = estimates({"spectrum"}, looked_.axis_rows, given_range());
        all.insert(all.end(), spectrum.begin(), spectrum.end());
    }
    return combined(all);
}

// The range that is given, else all columns but a part of them at either end.
AxisFinder::Range AxisFinder::range_without(double part) const {
    const double width = scan_.image.width;
    return given_range().value_or(Range{part * width, (1.0 - part) * width});
}

// No view is the mirror image of another one, but rays in the middle of a fan are. Scanners have the axis
// near the middle.
AxisEstimate AxisFinder::find_in_general() {
    constexpr double part = 0.1; // of the columns, on either side of the middle
    const bool has_rays = has_mirrored_rays(looked_, scan_);
    if (looked_.axis_method.is("spectrum") || looked_.axis_method.is("overlap") ||
        (looked_.axis_method.is("correlation") && !has_rays))
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    text("axis-method=%s compares views that mirror each other, and those of this geometry "
                         "don't: take %ssharpness",
                         looked_.axis_method.value().c_str(), has_rays ? "correlation or " : ""));
    if (has_rays && !looked_.axis_method.is("sharpness")) {
        const auto range = range_without(edge_of_rays);
        try {
            return find_axis_by_rays(looked_, scan_, range.from, range.to, run_line_);
        } catch (const AxisNotFound &e) {
            if (looked_.axis_method.is("correlation"))
                throw;
        }
    }
    const auto range = range_without(0.5 - part);
    return find_axis_by_slices(looked_, scan_, range.from, range.to, run_line_);
}

std::optional<AxisEstimate> AxisFinder::look() {
    // Where rows are compressed or straightened together, a few of them take as long as all.
    if (scan_.rows_per_chunk > 1 || corrects_distortion(looked_))
        return {};
    if (!mirrors_views(looked_, scan_)) {
        if (!has_mirrored_rays(looked_, scan_))
            return {};
        try {
            const auto range = range_without(edge_of_rays);
            return find_axis_by_rays(looked_, scan_, range.from, range.to, run_line_);
        } catch (const AxisNotFound &) {
            return {};
        }
    }
    constexpr unsigned few = 5;
    auto found = estimates({"correlation"}, std::min(few, looked_.axis_rows.value()), {});
    return was_found(found.front()) ? std::optional(std::move(found.front())) : std::nullopt;
}

std::vector<std::string> AxisFinder::methods() const {
    for (const char *method : {"correlation", "spectrum", "sharpness", "overlap"})
        if (looked_.axis_method.is(method))
            return {method};
    std::vector<std::string> methods{"correlation"};
    if (scan_.is_whole_turn())
        methods.push_back("overlap");
    else if (covers_half_turn())
        methods.push_back("spectrum");
    return methods;
}

bool AxisFinder::covers_half_turn() const {
    return scan_.steps_are_even && scan_.angle_span + 1.5 * std::abs(scan_.angle_step) > std::numbers::pi;
}

std::optional<AxisFinder::Range> AxisFinder::given_range() const {
    const std::string written = looked_.axis_range;
    if (written.empty())
        return {};
    char *end = nullptr;
    Range range{g_ascii_strtod(written.c_str(), &end), 0.0};
    const char *second = end + 1;
    const bool has_first = end != written.c_str() && *end == ':';
    if (has_first)
        range.to = g_ascii_strtod(second, &end);
    if (!has_first || end == second || *end || !(range.from >= 0.0 && range.from < range.to))
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    "axis-range does not take '" + written + "'; wanted FROM:TO in pixels, such as 900:1100");
    if (range.to > scan_.image.width)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("axis-range=%s reaches beyond the detector's %u columns", written.c_str(),
                         scan_.image.width));
    return range;
}

std::vector<AxisEstimate> AxisFinder::estimates(const std::vector<std::string> &methods, unsigned rows,
                                                const std::optional<Range> &range) {
    const unsigned all = scan_.image.height;
    rows = std::min(rows, all);
    // Evenly spread, at the middles of as many parts.
    const unsigned step = std::max(all / rows, 1u), first = (all - (rows - 1) * step - 1) / 2;
    std::string line = sinogram_line(looked_, scan_, {first, rows, step});
    for (const auto &method : methods) {
        line += " ! tomocenterofrotation name=axis-" + method + " method=" + method +
                " update-scan=false skip-unfit-views=true";
        if (method == "sharpness" && looked_.axis_metric.is_given())
            line += " metric=" + looked_.axis_metric.value();
        if (range)
            line += property("from", std::max(range->from, 1e-3)) + property("to", range->to);
        if (!scan_.has_angles())
            line += property("angle-step", std::abs(scan_.angle_step));
    }
    line += " ! tomonull name=null";
    std::map<std::string, AxisEstimate> found;
    std::map<std::string, double> best;
    run_line_(line, [&](GstMessage *message) {
        const GstStructure *structure = gst_message_get_structure(message);
        if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT ||
            !gst_structure_has_name(structure, "tomo-center-of-rotation"))
            return;
        const std::string method = gst_structure_get_string(structure, "method");
        auto &estimate = found[method];
        if (const char *failure = gst_structure_get_string(structure, "failure")) {
            estimate.failure = failure;
            return;
        }
        AxisOfRow row{first + 0.5 + static_cast<double>(estimate.rows.size()) * step, std::nan(""), HUGE_VAL};
        gst_structure_get_double(structure, "center", &row.axis);
        gst_structure_get_double(structure, "uncertainty", &row.uncertainty);
        gst_structure_get_uint(structure, "pairs", &row.pairs);
        estimate.rows.push_back(row);
        // The curve of the row that tells the axis best.
        auto &least = best.try_emplace(method, HUGE_VAL).first->second;
        if (estimate.rows.size() == 1 || row.uncertainty < least) {
            least = std::isfinite(row.axis) ? row.uncertainty : HUGE_VAL;
            estimate.curve = {method, row.row, list_of(structure, "curve-axes"),
                              list_of(structure, "curve-values")};
        }
    });
    std::vector<AxisEstimate> result;
    for (const auto &method : methods) {
        auto &estimate = found[method];
        if (!was_found(estimate)) {
            estimate.method = method;
            result.push_back(std::move(estimate));
            continue;
        }
        try {
            auto fitted = fit_axis(estimate.rows, all / 2.0, method);
            fitted.curve = std::move(estimate.curve);
            result.push_back(std::move(fitted));
        } catch (const AxisNotFound &e) {
            estimate.method = method;
            estimate.failure = e.what();
            result.push_back(std::move(estimate));
        }
    }
    return result;
}

AxisEstimate AxisFinder::combined(const std::vector<AxisEstimate> &all) {
    std::vector<AxisEstimate> found;
    std::copy_if(all.begin(), all.end(), std::back_inserter(found), was_found);
    if (found.empty())
        throw AxisNotFound(all.front().failure);
    AxisEstimate result = found.front();
    if (found.size() > 1) {
        const auto &one = found[0], &other = found[1];
        if (agree(one, other)) {
            const double weight = 1.0 / std::pow(sigma_of(one), 2),
                         of_other = 1.0 / std::pow(sigma_of(other), 2),
                         share = of_other / (weight + of_other);
            if (sigma_of(other) < sigma_of(one))
                result = other;
            result.axis = one.axis + share * (other.axis - one.axis);
            // They see the same noise, so both together are hardly better than the better one.
            result.uncertainty =
                std::max(std::min(one.uncertainty, other.uncertainty), std::abs(one.axis - other.axis) / 2.0);
            result.method = one.method + "+" + other.method;
        } else {
            result = decided(one, other);
        }
    }
    result.pairs = 0;
    for (const auto &estimate : all) {
        result.pairs += estimate.pairs;
        result.by_method.push_back({estimate.method, estimate.axis, estimate.uncertainty, estimate.tilt,
                                    estimate.tilt_uncertainty, estimate.failure});
    }
    return result;
}

// By slices for the axes from the one to the other, where that is no long way.
AxisEstimate AxisFinder::decided(const AxisEstimate &one, const AxisEstimate &other) {
    const auto difference =
        text("%s finds the axis at %.2f +- %.2f px, and %s at %.2f +- %.2f px", one.method.c_str(), one.axis,
             one.uncertainty, other.method.c_str(), other.axis, other.uncertainty);
    AxisEstimate result = sigma_of(other) < sigma_of(one) ? other : one;
    constexpr double around = 4.0, most = 200.0;
    constexpr unsigned few = 3;
    const Range range{std::max(1.0, std::min(one.axis, other.axis) - around),
                      std::min(scan_.image.width - 1.0, std::max(one.axis, other.axis) + around)};
    std::string reason = "is less uncertain";
    if (range.to - range.from <= most && !scan_.is_whole_turn()) {
        const auto slices = estimates({"sharpness"}, std::min(few, looked_.axis_rows.value()), range).front();
        if (was_found(slices)) {
            result = std::abs(slices.axis - one.axis) < std::abs(slices.axis - other.axis) ? one : other;
            reason = text("is nearer to the one with the least entropy of slices, %.2f", slices.axis);
        }
    }
    result.warning = difference + ": " + result.method + " is taken, which " + reason +
                     ". Look at slices (sweep --parameter axis=FROM:TO:STEP), and give --axis";
    result.uncertainty = std::max(result.uncertainty, std::abs(one.axis - other.axis) / 2.0);
    return result;
}

} // namespace tomo::reconstruction
