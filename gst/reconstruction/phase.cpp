// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/phase.hpp>
#include <gst/tomo/geometry/magnification.hpp>
#include <gst/tomo/geometry/wavelength.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tomo::reconstruction {

bool retrieves_phase(const Settings &settings) { return !settings.retrieval_method.is("none"); }

Quantities quantities_of(const Settings &settings, const Inspection &scan) {
    const auto chosen = [](const Parameter<double> &parameter, double of_scan) {
        return parameter.is_given() ? parameter.value() : of_scan;
    };
    const auto distances = settings.propagation_distance.value();
    Quantities found{chosen(settings.energy, scan.energy),
                     distances.empty() ? scan.distance : distances.front(),
                     chosen(settings.source_distance, scan.source_distance), scan.pixel_size};
    const double enlarged = magnification(found.source_distance, found.distance);
    if (settings.pixel_size.is_given())
        found.pixel_size = settings.pixel_size / enlarged;
    else if (!is_source_near(scan.source_distance))
        found.pixel_size /= enlarged;
    return found;
}

std::optional<Finding> finding_about_phase(const Settings &settings, const Inspection &scan) {
    if (!retrieves_phase(settings))
        return {};
    const auto finding = [](const std::string &text, const std::string &advice) {
        return Finding{"phase", Finding::Severity::error, text, advice};
    };
    const auto distances = settings.propagation_distance.value();
    if (distances.size() > 2 ||
        std::any_of(distances.begin(), distances.end(), [](double z) { return !(z > 0.0); }))
        return finding(text("propagation-distance is %s", settings.propagation_distance.text().c_str()),
                       "Give one distance, or that along columns and that along rows, in metres above 0.");
    std::string unknown, remedy;
    const auto want = [&](bool is_known, const char *what, const char *parameter) {
        if (is_known)
            return;
        unknown += (unknown.empty() ? "" : " and ") + std::string(what);
        remedy += (remedy.empty() ? "" : " and ") + std::string(parameter);
    };
    const auto known = quantities_of(settings, scan);
    want(known.energy > 0.0, "the energy", "--energy in keV");
    want(known.distance > 0.0, "the distance to the detector", "--propagation-distance in metres");
    want(known.pixel_size > 0.0, "the size of a pixel", "--pixel-size in metres");
    if (unknown.empty())
        return {};
    return finding("phase can't be retrieved: the scan does not tell " + unknown, "Give " + remedy + ".");
}

std::string phase_line(const Settings &settings, const Inspection &scan) {
    if (!retrieves_phase(settings))
        return {};
    if (const auto fault = finding_about_phase(settings, scan))
        throw Error(GST_RESOURCE_ERROR_SETTINGS, fault->text + ". " + fault->advice);
    std::string line = " ! tomoretrievephase name=phase normalize=true" +
                       launch_property("method", settings.retrieval_method.value()) +
                       property("regularization-rate", settings.regularization_rate.value());
    if (settings.energy.is_given())
        line += property("energy", settings.energy.value());
    if (settings.pixel_size.is_given())
        line += property("pixel-size", settings.pixel_size * settings.binning);
    if (settings.source_distance.is_given())
        line += launch_property("source-distance", "<" + number(settings.source_distance.value()) + ">");
    const auto distances = settings.propagation_distance.value();
    if (distances.size() == 1)
        line += launch_property("distance", "<" + number(distances[0]) + ">");
    if (distances.size() == 2)
        line += property("distance-x", distances[0]) + property("distance-y", distances[1]);
    if (settings.retrieval_method.is("qp") || settings.retrieval_method.is("qp2"))
        line += property("thresholding-rate", settings.thresholding_rate.value());
    const auto given = [&](const char *name, const auto &parameter) {
        if (parameter.is_given())
            line += property(name, parameter.value());
    };
    given("frequency-cutoff", settings.frequency_cutoff);
    given("ict-alpha", settings.ict_alpha);
    given("ict-alpha-threshold", settings.ict_alpha_threshold);
    given("padded-width", settings.retrieval_padded_width);
    given("padded-height", settings.retrieval_padded_height);
    if (settings.retrieval_padding_mode.is_given())
        line += launch_property("addressing-mode", settings.retrieval_padding_mode.value());
    return line;
}

std::string thickness_line(const Settings &settings, const Inspection &scan) {
    if (!retrieves_phase(settings) || !settings.delta.is_given())
        return {};
    // Of a material whose absorption is 4 pi beta / wavelength.
    const double beta = settings.delta / std::pow(10.0, settings.regularization_rate),
                 metres = wavelength(quantities_of(settings, scan).energy) / (4.0 * std::numbers::pi * beta);
    const double voxel = quantities_of(settings, scan).pixel_size * settings.binning;
    return calculation("thickness", "v * " + literal(settings.result.is("slices") ? metres / voxel : metres));
}

} // namespace tomo::reconstruction
