// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "view-angles.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace tomo {

namespace {

double degrees(double radians) { return radians * 180.0 / G_PI; }

// The step, if it is the same everywhere but for what an encoder's jitter may be.
std::optional<double> even_step(const std::vector<double> &angles) {
    if (angles.size() < 2)
        return {};
    const double step = (angles.back() - angles.front()) / static_cast<double>(angles.size() - 1);
    for (std::size_t i = 1; i < angles.size(); i++)
        if (!(std::abs(angles[i] - angles[i - 1] - step) <= 0.05 * std::abs(step)))
            return {};
    return step;
}

std::string describe(const std::vector<double> &angles) {
    if (angles.empty())
        return "no views";
    if (angles.size() == 1)
        return text("1 view at %.6g degrees", degrees(angles[0]));
    const auto step = even_step(angles);
    if (step)
        return text("%zu views from %.6g by %.6g degrees", angles.size(), degrees(angles.front()),
                    degrees(*step));
    const auto [least, largest] = std::minmax_element(angles.begin(), angles.end());
    return text("%zu uneven views between %.6g and %.6g degrees", angles.size(), degrees(*least),
                degrees(*largest));
}

ViewAngles from_nowhere(const Scan &scan, std::size_t number) {
    ViewAngles views{{}, "assumed", {}, {}, false};
    const bool has_numbers = scan.projection_numbers.size() == number && scan.total_projections >= 1.0;
    const double total = has_numbers ? scan.total_projections : static_cast<double>(number);
    for (std::size_t i = 0; i < number; i++)
        views.angles.push_back((has_numbers ? scan.projection_numbers[i] : static_cast<double>(i)) * G_PI /
                               total);
    views.is_part = has_numbers && total != static_cast<double>(number);
    views.assumption = views.is_part
                           ? text("the scan has no angles: its %.0f projections were taken for half a turn, "
                                  "of which %zu came",
                                  total, number)
                           : text("no angles came: %zu views were taken for half a turn", number);
    // What is left out of rows that were binned is less than one of them.
    const double step = std::abs(scan.binning_y);
    if (!has_numbers && static_cast<double>(number + 1) * step <= scan.total_rows) {
        views.is_part = true;
        views.assumption = text("no angles came: %zu views, which are a part of the %.0f rows of the images, "
                                "were taken for half a turn",
                                number, scan.total_rows);
    }
    views.assumption += "; set angle-step in radians, or give the scan its angles";
    return views;
}

} // namespace

ViewAngles view_angles(const Scan &scan, std::size_t number, double step) {
    ViewAngles views{{}, "scan", {}, {}, false};
    if (step != 0.0) {
        views.source = "property";
        for (std::size_t i = 0; i < number; i++)
            views.angles.push_back(static_cast<double>(i) * step);
    } else if (scan.angles.empty()) {
        views = from_nowhere(scan, number);
    } else if (scan.angles.size() == number) {
        views.angles = scan.angles;
    } else {
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("the scan has %zu angles for %zu projections: set angle-step, in radians",
                         scan.angles.size(), number));
    }
    views.sentence = text("%s (%s)", describe(views.angles).c_str(),
                          step != 0.0           ? "angle-step"
                          : scan.angles.empty() ? "assumed"
                                                : "from the scan");
    return views;
}

void report_angles(GstStructure *report, const ViewAngles &views) {
    gst_structure_set(report, "projections", G_TYPE_UINT, static_cast<guint>(views.angles.size()),
                      "angle-source", G_TYPE_STRING, views.source, nullptr);
    if (views.angles.empty())
        return;
    auto set = [&](const char *name, double value) {
        gst_structure_set(report, name, G_TYPE_DOUBLE, value, text("%s-units", name).c_str(), G_TYPE_STRING,
                          "rad", text("%s-source", name).c_str(), G_TYPE_STRING, views.source, nullptr);
    };
    set("angle-first", views.angles.front());
    set("angle-last", views.angles.back());
    if (const auto step = even_step(views.angles))
        set("angle-step", *step);
}

} // namespace tomo
