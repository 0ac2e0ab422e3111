// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/shifts.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

std::string shifts_file(const Settings &settings) {
    const auto value = settings.shifts.value();
    return value == "none" || value == "align" ? "" : value;
}

bool are_shifts_corrected(const Settings &settings, const Inspection &scan) {
    return !scan.is_sinograms && scan.shifts.is_visible() && settings.shifts.value() != "none";
}

bool are_rows_shifted(const Settings &settings, const Inspection &scan) {
    return are_shifts_corrected(settings, scan) && scan.shifts.are_rows_moved();
}

ShiftMargin shift_margin(const Settings &settings, const Inspection &scan) {
    if (!are_rows_shifted(settings, scan))
        return {};
    const double binning = settings.binning.value();
    double least = scan.shifts.least_y / binning, most = scan.shifts.most_y / binning;
    if (settings.shifts_reverse.is("y") || settings.shifts_reverse.is("both"))
        std::tie(least, most) = std::pair(-most, -least);
    // A spline goes through the pixel before and the two behind the place.
    const double above = std::max(1.0 - std::floor(least), 0.0),
                 below = std::max(2.0 + std::floor(most), 0.0);
    const auto rows = [&](double pixels) {
        return static_cast<unsigned>(std::min(pixels, static_cast<double>(scan.image.height))) *
               settings.binning.value();
    };
    return {rows(above), rows(below)};
}

std::string shift_line(const Settings &settings) {
    return " ! tomoshift name=shift" + (settings.shifts_reverse.is_given()
                                            ? launch_property("reverse", settings.shifts_reverse.value())
                                            : "");
}

std::string chosen_rows(unsigned first, const Rows &rows) {
    return property("y", first) + property("height", rows.count) +
           (rows.step > 1 ? property("y-step", rows.step) : "");
}

std::string shift_line(const Settings &settings, unsigned first, const Rows &rows) {
    return shift_line(settings) + chosen_rows(first, rows);
}

} // namespace tomo::reconstruction
