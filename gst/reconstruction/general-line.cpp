// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/chain.hpp>
#include <gst/reconstruction/devices/shared-line.hpp>
#include <gst/reconstruction/general-line.hpp>
#include <gst/reconstruction/linearisation.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/phase.hpp>
#include <gst/reconstruction/rings.hpp>

namespace tomo::reconstruction {

namespace {

std::string region(const char *key, const VolumeGrid::Axis &axis) {
    // An end in the middle between two steps, so that no rounding makes one step more or less.
    return launch_property(key, "<" + number(axis.from) + "," +
                                    number(axis.from + (axis.count - 0.5) * axis.step) + "," +
                                    number(axis.step) + ">");
}

// Source and detector as distances from the axis, and the centre, for the elements that weigh projections.
std::string distances(const ViewArrangement &arrangement, bool has_rows) {
    std::string line;
    if (arrangement.is_cone())
        line += arrangement.list("source-distance", Part::source_position_y, -1.0) +
                arrangement.list("detector-distance", Part::detector_position_y);
    line += arrangement.list("center-position-x", Part::center_position_x);
    if (has_rows)
        line += arrangement.list("center-position-z", Part::center_position_z);
    return line;
}

// Where the rows that are read begin on the detector.
std::string first_row_words(const Settings &settings, const Rows &rows) {
    const unsigned first = rows.first / settings.binning;
    return first ? property("first-row", first) : "";
}

// Which slices of the volume a line makes, of which rows of the detector.
std::string part_words(const Settings &settings, const GeneralVolume &volume, const Rows &rows,
                       unsigned first, unsigned count) {
    const unsigned of_detector = volume.detector_rows();
    return (first ? property("first-slice", first) : "") +
           (first + count < volume.images() ? property("num-slices", count) : "") +
           first_row_words(settings, rows) +
           (rows.count / settings.binning < of_detector ? property("detector-rows", of_detector) : "");
}

std::string weights_line(const Settings &settings, const GeneralVolume &volume, const Rows &rows) {
    const auto &arrangement = volume.arrangement();
    std::string line;
    if (arrangement.is_cone() && settings.general.cone_beam_weight)
        line += " ! tomoconebeamprojectionweight name=cone-weight" + distances(arrangement, true) +
                first_row_words(settings, rows);
    if (volume.redundancy() != RedundantRays::Mode::none)
        line += std::string(" ! tomoredundancyweight name=redundancy mode=") +
                (volume.redundancy() == RedundantRays::Mode::offset ? "offset" : "short-scan") +
                distances(arrangement, false) + arrangement.turn_words();
    return line;
}

std::string filter_line(const Settings &settings) {
    return settings.projection_filter.is("none") ? ""
                                                 : " ! tomorampfilter name=filter" + filter_words(settings);
}

std::string sampling_words(const Settings &settings) {
    return (settings.general.padding_mode.is_given()
                ? launch_property("addressing-mode", settings.general.padding_mode.value())
                : "") +
           (settings.precision.is("half") ? " precision-mode=half" : "");
}

} // namespace

std::string general_source_line(const Settings &settings, const Inspection &scan, const Rows &rows) {
    if (settings.rings.is("none"))
        return projection_line(settings, scan, rows) + beam_hardening_line(settings) +
               thickness_line(settings, scan);
    // A second time makes projections again.
    return sinogram_line(settings, scan, rows) + " ! tomotransposeprojections name=transpose-back";
}

std::string general_slice_line(const Settings &settings, const GeneralVolume &volume, const Rows &rows,
                               unsigned first, unsigned count) {
    const auto &arrangement = volume.arrangement();
    const auto grid = volume.grid().planes(first, count);
    const auto &made = volume.made();
    const auto &swept = volume.swept();
    std::string line;
    if (is_iterative(settings))
        line +=
            " ! tomogeneraliterate name=iterate" + launch_property("method", settings.method.value()) +
            iteration_words(settings) +
            // As tomoasdpocs has it.
            (settings.method.is("asdpocs") && !settings.slice_minimum.is_given() ? property("minimum", 0.0)
                                                                                 : "");
    else
        line += weights_line(settings, volume, rows) + filter_line(settings) +
                " ! tomogeneralbackproject name=backproject" + sampling_words(settings);
    // Slices of a part have the bits that they have among all others.
    const bool is_backprojection = !is_iterative(settings);
    line += arrangement.words(is_backprojection ? 0 : rows.first, swept) + arrangement.angle_words();
    if (swept)
        line += launch_property("parameter", name_of(*swept)) + property("z", volume.height());
    line += region("x-region", made.x) + region("y-region", made.y) +
            region("region", is_backprojection ? volume.grid().z : grid.z);
    if (is_backprojection) {
        if (is_shared(settings))
            line += launch_property("devices", settings.devices.value());
        line += part_words(settings, volume, rows, first, count);
    } else {
        if (is_shared(settings))
            line += launch_property("devices", settings.devices.value()) +
                    launch_property("on-failure", settings.on_failure.value());
        const auto &place = volume.place();
        const unsigned behind = made.z.count - grid.z.count - place.z;
        line += (place.z ? property("slices-before", place.z) : "") +
                (behind ? property("slices-behind", behind) : "");
        if (made.x.count > grid.x.count || made.y.count > grid.y.count)
            line += " ! tomocrop name=crop-slices" + property("x", place.x) + property("y", place.y) +
                    property("width", grid.x.count) + property("height", grid.y.count);
    }
    return line + slice_rings_line(settings, volume.axis_in_slices()) +
           circle_line(settings, volume.axis_in_slices(), volume.radius());
}

std::string axes_line(const Settings &settings, const GeneralVolume &volume, const Rows &rows,
                      const VolumeGrid::Axis &axes, double height) {
    const auto &arrangement = volume.arrangement();
    return weights_line(settings, volume, rows) + filter_line(settings) +
           " ! tomogeneralbackproject name=backproject parameter=center-position-x" + property("z", height) +
           arrangement.words(rows.first, Part::center_position_x) + arrangement.angle_words() +
           region("x-region", volume.grid().x) + region("y-region", volume.grid().y) + region("region", axes);
}

} // namespace tomo::reconstruction
