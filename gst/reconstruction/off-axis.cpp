// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/roll.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/half-turns.hpp>

#include <cmath>

namespace tomo::reconstruction {

bool joins_half_turns(const Settings &settings, const Inspection &scan, double axis) {
    if (!settings.result.is("slices") || settings.off_axis.is("off") || is_general(settings, scan))
        return false;
    if (settings.off_axis.is("on") && !scan.is_whole_turn())
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("off-axis=on takes a scan of a whole turn, and its views cover %.4g degrees",
                         degrees(scan.range())));
    if (!scan.is_whole_turn() || std::isnan(axis))
        return false;
    return settings.off_axis.is("on") ||
           std::abs(axis - scan.image.width / 2.0) > far_off_axis * scan.image.width;
}

Field field_of_slices(const Settings &settings, const Inspection &scan, double axis) {
    const unsigned columns = scan.image.width / settings.binning;
    axis = upright_axis(settings, scan, axis) / settings.binning;
    if (!joins_half_turns(settings, scan, axis * settings.binning) || axis < 0.0 || axis > columns)
        return {columns, axis};
    const auto field = extended_field(axis, columns);
    return {field.columns, axis + field.left};
}

unsigned most_columns(const Settings &settings, const Inspection &scan) {
    const unsigned columns = scan.image.width / settings.binning;
    return scan.is_whole_turn() && !settings.off_axis.is("off") ? 2 * columns : columns;
}

// All views are weighed, unless half of them give the same slices: see the element.
std::string join_half_turns_line(const Settings &settings, const Inspection &scan, double axis) {
    if (!joins_half_turns(settings, scan, axis))
        return {};
    return " ! tomojoinhalfturns name=half-turns method=auto" +
           property("axis-pos", upright_axis(settings, scan, axis) / settings.binning) +
           (scan.has_angles() ? "" : property("angle-step", scan.angle_step));
}

} // namespace tomo::reconstruction
