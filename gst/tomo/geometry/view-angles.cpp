// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/view-angles.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

namespace {

std::string describe(const ViewAngles &views) {
    const auto &angles = views.angles;
    if (angles.empty())
        return "no views";
    if (angles.size() == 1)
        return text("1 view at %.6g degrees", degrees(angles[0]));
    const auto step = views.even_step();
    if (step)
        return text("%zu views from %.6g by %.6g degrees", angles.size(), degrees(angles.front()),
                    degrees(*step));
    const auto [least, largest] = std::minmax_element(angles.begin(), angles.end());
    return text("%zu uneven views between %.6g and %.6g degrees", angles.size(), degrees(*least),
                degrees(*largest));
}

ViewAngles from_nowhere(const Scan &scan, std::size_t number) {
    ViewAngles views;
    views.origin = Origin::assumed;
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

std::optional<double> ViewAngles::even_step() const {
    if (angles.size() < 2)
        return {};
    const double step = (angles.back() - angles.front()) / static_cast<double>(angles.size() - 1);
    for (std::size_t i = 1; i < angles.size(); i++)
        if (!(std::abs(angles[i] - angles[i - 1] - step) <= 0.05 * std::abs(step)))
            return {};
    return step;
}

ViewAngles resolve_angles(std::optional<double> step, const Scan &scan, std::size_t number, double offset) {
    ViewAngles views;
    if (step) {
        views.origin = Origin::property;
        for (std::size_t i = 0; i < number; i++)
            views.angles.push_back(static_cast<double>(i) * *step);
    } else if (scan.angles.empty()) {
        views = from_nowhere(scan, number);
    } else if (scan.angles.size() == number) {
        views.angles = scan.angles;
    } else {
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("the scan has %zu angles for %zu projections: set angle-step, in radians",
                         scan.angles.size(), number));
    }
    for (double &angle : views.angles)
        angle += offset;
    views.sentence = text("%s (%s)", describe(views).c_str(),
                          views.origin == Origin::property  ? "angle-step"
                          : views.origin == Origin::assumed ? "assumed"
                                                            : "from the scan");
    return views;
}

} // namespace tomo
