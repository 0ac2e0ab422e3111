// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/roll.hpp>
#include <gst/tomo/geometry/degrees.hpp>

#include <cmath>

namespace tomo::reconstruction {

namespace {

double roll_of(const Settings &settings) {
    constexpr double most = 45.0;
    if (std::abs(settings.roll) > most)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("roll=%g degrees lays the axis on its side; wanted -45 to 45", settings.roll.value()));
    return radians(settings.roll);
}

} // namespace

bool corrects_roll(const Settings &settings) { return roll_degrees(settings) != 0.0; }

double roll_degrees(const Settings &settings) {
    return settings.roll.is_given() ? settings.roll.value() : 0.0;
}

double upright_axis(const Settings &settings, const Inspection &scan, double axis) {
    const double middle = scan.image.width / 2.0;
    return corrects_roll(settings) ? middle + (axis - middle) * std::cos(roll_of(settings)) : axis;
}

unsigned rows_for_roll(const Settings &settings, const Inspection &scan) {
    if (!corrects_roll(settings))
        return 0;
    constexpr double of_spline = 2.0; // pixels that are interpolated
    const double angle = roll_of(settings);
    return static_cast<unsigned>(std::ceil(scan.image.width / 2.0 * std::abs(std::sin(angle)) +
                                           scan.image.height / 2.0 * (1.0 - std::cos(angle)))) +
           static_cast<unsigned>(of_spline) * settings.binning;
}

std::string roll_line(const Settings &settings, const Inspection &scan, const Rows &rows) {
    if (!corrects_roll(settings))
        return {};
    const double binning = settings.binning;
    const auto middle = "<" + number(scan.image.width / 2.0 / binning) + "," +
                        number((scan.image.height / 2.0 - rows.first) / binning) + ">";
    return " ! tomorotate name=roll interpolation=cubic" + property("angle", roll_of(settings)) +
           launch_property("center", middle);
}

} // namespace tomo::reconstruction
