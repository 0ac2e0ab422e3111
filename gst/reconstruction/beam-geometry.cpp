// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/phase.hpp>
#include <gst/tomo/geometry/magnification.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

// Pixels by which a ray to the edge of the detector crosses columns or rows on its way from the axis to the
// edge of the slice; NaN where the scan does not tell enough.
double pixels_crossed(const Settings &settings, const Inspection &scan) {
    const auto known = quantities_of(settings, scan);
    const double edge = std::max(scan.image.width, scan.image.height) / 2.0, radius = scan.image.width / 2.0;
    return edge * radius * known.pixel_size / known.source_distance;
}

bool diverges(const Settings &settings, const Inspection &scan) {
    constexpr double most_pixels = 0.25;
    return !(pixels_crossed(settings, scan) <= most_pixels);
}

bool is_source_given(const Settings &settings) { return settings.general.source_y.is_given(); }

// Whether the beam is a cone whose distances are those in metres.
bool is_cone_in_metres(const Settings &settings, const Inspection &scan) {
    const auto &geometry = settings.general.geometry;
    if (geometry.is("parallel") || is_source_given(settings))
        return false;
    return geometry.is("cone") ||
           (is_source_near(quantities_of(settings, scan).source_distance) && diverges(settings, scan));
}

// The numbers in metres that a cone beam lacks, and the parameters that give them.
struct Lacking {
    std::string numbers, parameters;
};
Lacking lacking_in_metres(const Settings &settings, const Inspection &scan) {
    Lacking lacking;
    const auto want = [&](bool is_known, const char *number, const char *parameter) {
        if (is_known)
            return;
        lacking.numbers += (lacking.numbers.empty() ? "" : " and ") + std::string(number);
        lacking.parameters += (lacking.parameters.empty() ? "" : " and ") + std::string(parameter);
    };
    const auto known = quantities_of(settings, scan);
    want(is_source_near(known.source_distance), "the distance from the source",
         "--source-distance in metres");
    want(std::isfinite(known.distance) && known.distance >= 0.0, "the distance to the detector",
         "--propagation-distance in metres");
    want(std::isfinite(known.pixel_size) && known.pixel_size > 0.0, "the size of a pixel",
         "--pixel-size in metres");
    return lacking;
}

std::string source_text(const Settings &settings, const Inspection &scan) {
    return text("the beam diverges from a source %.6g m before the sample",
                quantities_of(settings, scan).source_distance);
}

} // namespace

Beam beam_of(const Settings &settings, const Inspection &scan) {
    const auto &general = settings.general;
    if (is_source_given(settings) && !general.geometry.is("parallel"))
        return {true, general.source_y.value(),
                general.detector_y.is_given() ? general.detector_y.value() : std::vector{0.0}};
    if (!is_cone_in_metres(settings, scan))
        return {};
    if (const auto fault = finding_about_beam(settings, scan);
        fault && fault->severity == Finding::Severity::error)
        throw Error(GST_RESOURCE_ERROR_SETTINGS, fault->text + ". " + fault->advice);
    const auto known = quantities_of(settings, scan);
    const double pixel = known.pixel_size * magnification(known.source_distance, known.distance);
    return {true,
            {-known.source_distance / pixel},
            general.detector_y.is_given() ? general.detector_y.value() : std::vector{known.distance / pixel}};
}

bool is_general(const Settings &settings, const Inspection &scan) {
    const auto &general = settings.general;
    if (!settings.result.is("slices"))
        return false;
    if (is_cone_in_metres(settings, scan))
        return lacking_in_metres(settings, scan).numbers.empty();
    // A column alone, or a row, is the axis of any geometry, and that needs no other.
    const auto arrangement = general.arrangement();
    const bool is_arranged = std::any_of(arrangement.begin(), arrangement.end(), [&](const Numbers *numbers) {
        return numbers->is_given() && numbers != &general.center_z &&
               (numbers != &general.center_x || numbers->value().size() > 1);
    });
    return is_arranged || general.geometry.is("lamino") || general.x_region.is_given() ||
           general.y_region.is_given() || general.slice_region.is_given() || general.z.is_given() ||
           !general.z_parameter.is("z");
}

bool is_laminography(const Settings &settings) {
    constexpr double most_error = 5.0; // degrees
    const auto &general = settings.general;
    const auto tilts = general.axis_angle_x.value();
    return general.geometry.is("lamino") ||
           std::any_of(tilts.begin(), tilts.end(), [](double tilt) { return std::abs(tilt) > most_error; });
}

bool needs_whole_turn(const Settings &settings, const Inspection &scan) {
    const bool is_near = is_source_given(settings) && !settings.general.geometry.is("parallel");
    return settings.result.is("slices") && !scan.is_sinograms &&
           (is_laminography(settings) || is_near || is_cone_in_metres(settings, scan));
}

std::optional<Finding> finding_about_beam(const Settings &settings, const Inspection &scan) {
    using Severity = Finding::Severity;
    if (!settings.result.is("slices") || is_source_given(settings))
        return {};
    if (settings.general.geometry.is("parallel")) {
        if (!is_source_near(quantities_of(settings, scan).source_distance) || !diverges(settings, scan))
            return {};
        const double pixels = pixels_crossed(settings, scan);
        return Finding{
            "cone-beam", Severity::warning,
            source_text(settings, scan) +
                (std::isnan(pixels)
                     ? ""
                     : text(": through one pixel at the edge it sees the near and the far side of the "
                            "slice %.3g pixels apart",
                            2.0 * pixels)),
            "It is taken for parallel all the same, because --geometry is parallel."};
    }
    if (!is_cone_in_metres(settings, scan))
        return {};
    const auto lacking = lacking_in_metres(settings, scan);
    if (lacking.numbers.empty()) {
        const auto known = quantities_of(settings, scan);
        return Finding{"cone-beam", Severity::information,
                       source_text(settings, scan) +
                           text(", and the detector sees the sample %.4g times larger",
                                magnification(known.source_distance, known.distance)),
                       "Slices are those of a cone beam; --geometry parallel takes it for parallel."};
    }
    return Finding{
        "cone-beam", Severity::error,
        (is_source_near(quantities_of(settings, scan).source_distance) ? source_text(settings, scan)
                                                                       : std::string("geometry is cone")) +
            ", and the scan does not tell " + lacking.numbers,
        "Give " + lacking.parameters +
            ", or --source-position-y and --detector-position-y in pixels; --geometry parallel takes "
            "the beam for parallel."};
}

} // namespace tomo::reconstruction
