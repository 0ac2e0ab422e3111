// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/general-volume.hpp>
#include <gst/reconstruction/inspection.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/reconstruction/turns.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/graph/names.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace tomo::reconstruction {

using std::numbers::pi;
using Severity = Finding::Severity;

namespace {

std::string in_degrees(double angle) { return text("%.6g", degrees(angle)); }

} // namespace

std::string Shifts::range() const {
    const auto columns = text("%.4g to %.4g columns", least_x, most_x),
               rows = text("%.4g to %.4g rows", least_y, most_y);
    if (least_y == 0.0 && most_y == 0.0)
        return columns;
    return least_x == 0.0 && most_x == 0.0 ? rows : columns + " and by " + rows;
}

const std::vector<std::string> &finding_names() {
    static const std::vector<std::string> names{"layout",
                                                "no-angles",
                                                "angle-range",
                                                "angles-order",
                                                "angles-repeated",
                                                "angles-uneven",
                                                "angles-in-radians",
                                                "last-view",
                                                "missing-wedge",
                                                "several-turns",
                                                "no-flats",
                                                "white-level",
                                                "no-darks",
                                                "saturated-flats",
                                                "flats-below-darks",
                                                "dead-pixels",
                                                "beam-drift",
                                                "sizes",
                                                "saturated-projections",
                                                "not-finite",
                                                "disk",
                                                "memory",
                                                "phase",
                                                "cone-beam",
                                                "beam-hardening",
                                                "detector-linearity",
                                                "axis-outside",
                                                "shifts",
                                                "shifts-unclear",
                                                "monitor",
                                                "monitor-differs",
                                                "flat-sets",
                                                "few-flats",
                                                "stitch-overlap",
                                                "stitch-differs"};
    return names;
}

namespace {

std::string height_text(const HeightFacts &height) {
    auto said = text("rows from %.6g on: %u of %s", height.top, height.rows, height.name.c_str());
    const auto &displaced = height.displaced;
    if (displaced.from.empty())
        return said;
    said += text(", %.6g shared with the one above (%s", height.overlap, displaced.from.c_str());
    if (!std::isnan(displaced.uncertainty))
        said += displaced.from == "views"
                    ? text(" +- %.2g", displaced.uncertainty)
                    : text("; by views %.6g +- %.2g", height.overlap_by_views(), displaced.uncertainty);
    return said + ")";
}

Json json_of(const HeightFacts &height) {
    Json json = Json::object();
    json.set("name", Json::text(height.name));
    json.set("top", Json::number(height.top));
    json.set("rows", Json::integer(guint64{height.rows}));
    if (height.displaced.from.empty())
        return json;
    json.set("overlap", Json::number(height.overlap));
    json.set("overlap-from", Json::text(height.displaced.from));
    if (!std::isnan(height.displaced.by_views))
        json.set("overlap-by-views", Json::number(height.overlap_by_views()));
    if (!std::isnan(height.displaced.uncertainty))
        json.set("overlap-uncertainty", Json::number(height.displaced.uncertainty));
    return json;
}

} // namespace

const char *Finding::severity_name() const {
    return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "info";
}

bool Inspection::is_corrected(const Settings &settings) const {
    return !is_sinograms && (settings.flat_correction.is("on") || settings.flat_correction.is("dynamic") ||
                             (settings.flat_correction.is("auto") && (flats || flats_after)));
}

double Inspection::whole_beam(const Settings &settings) const {
    if (is_sinograms || is_corrected(settings))
        return unknown;
    return settings.white_level.is_given() ? settings.white_level.value() : white_level;
}

Rows Inspection::rows(const Settings &settings) const {
    const unsigned first = settings.y, height = image.height;
    const unsigned span = settings.height ? settings.height.value() : first < height ? height - first : 0;
    if (first >= height || span > height - first)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("y=%u height=%u: the %s %u", first, settings.height.value(),
                         is_sinograms ? "sinograms are" : "rows of the detector are", height));
    const unsigned binning = settings.binning;
    if (binning > 1 && settings.y_step > 1)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    "binning takes rows that are neighbours, and y-step leaves some out; give one of them");
    if (span < binning)
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("binning=%u takes more rows than the %u that are there", binning, span));
    Rows rows{first, (span + settings.y_step - 1) / settings.y_step, settings.y_step};
    rows.count = rows.count / binning * binning;
    if (settings.slice.is("middle")) {
        rows.first += rows.count / binning / 2 * binning * rows.step;
        rows.count = binning;
        rows.step = 1;
    }
    return rows;
}

void Inspection::set_angles(std::vector<double> of_views) {
    angles = std::move(of_views);
    views = angles.size();
    angle_first = angles.front();
    angle_last = angles.back();
    const auto [least, largest] = std::minmax_element(angles.begin(), angles.end());
    angle_span = *largest - *least;
    angle_step = views > 1 ? (angle_last - angle_first) / (static_cast<double>(views) - 1.0) : 0.0;
    steps_are_even = std::adjacent_find(angles.begin(), angles.end(), [&](double before, double after) {
                         return std::abs(after - before - angle_step) > 0.05 * std::abs(angle_step);
                     }) == angles.end();
}

bool Inspection::is_whole_turn() const {
    const double step = range() / static_cast<double>(std::max<std::size_t>(views, 1));
    return views > 2 && range() > 2.0 * pi - 1.5 * step;
}

ArrayInfo Inspection::output(const Settings &settings, double axis) const {
    if (const auto turns = turns_of(settings, *this); !turns.empty()) {
        Settings of_turn;
        of_turn.assign(settings);
        Inspection part = *this;
        take_turn(turns.front(), of_turn, part);
        auto shape = part.output(of_turn, axis);
        shape.depth *= static_cast<unsigned>(turns.size());
        return shape;
    }
    const unsigned binning = settings.binning, columns = image.width / binning;
    const auto format = settings.output_bitdepth.is("8")    ? GST_TOMO_FORMAT_UINT8
                        : settings.output_bitdepth.is("16") ? GST_TOMO_FORMAT_UINT16
                                                            : GST_TOMO_FORMAT_FLOAT32;
    const auto lines = [&] { return rows(settings).count / binning; };
    if (settings.result.is("sinograms"))
        return ArrayInfo(format, columns, static_cast<unsigned>(views), lines());
    if (settings.result.is("projections"))
        return ArrayInfo(format, columns, lines(), static_cast<unsigned>(views));
    if (is_general(settings, *this)) {
        const auto grid = GeneralVolume(settings, *this, axis).grid();
        return ArrayInfo(format, grid.x.count, grid.y.count, grid.z.count);
    }
    const unsigned widest = field_of_slices(settings, *this, axis).columns,
                   width = settings.crop_width ? std::min(settings.crop_width.value(), widest) : widest;
    return ArrayInfo(format, width, width, lines());
}

// Of a slice of the general geometry; none in the usual one. All turns, and all values of a sweep, have one.
static std::optional<VolumeGrid> grid_of(const Settings &settings, const Inspection &scan) {
    Settings of_one;
    if (const auto sweep = sweep_of(settings))
        sweep->apply(0, settings, of_one);
    else
        of_one.assign(settings);
    Inspection part = scan;
    take_first_turn(of_one, part);
    if (!is_general(of_one, part))
        return {};
    return GeneralVolume(of_one, part, of_one.given_axis().value_or(part.axis)).grid();
}

double Inspection::voxel_size(const Settings &settings) const {
    const auto grid = grid_of(settings, *this);
    return pixel_size * settings.binning * (grid ? std::abs(grid->x.step) : 1.0);
}

double Inspection::slice_spacing(const Settings &settings) const {
    const auto grid = grid_of(settings, *this);
    return grid && settings.general.z_parameter.is("z") ? std::abs(grid->z.step / grid->x.step)
                                                        : static_cast<double>(settings.y_step);
}

const Finding *Inspection::obstacle(const Settings &settings) const {
    const std::unique_ptr<gchar *, decltype(&g_strfreev)> words(
        g_strsplit_set(settings.ignore.value().c_str(), ", ", -1), g_strfreev);
    std::vector<std::string> ignored;
    for (gchar **word = words.get(); *word; word++)
        if (**word)
            ignored.emplace_back(*word);
    for (const auto &word : ignored)
        if (word != "all" &&
            std::find(finding_names().begin(), finding_names().end(), word) == finding_names().end())
            throw Error(GST_RESOURCE_ERROR_SETTINGS, text("ignore: there is no finding '%s'%s", word.c_str(),
                                                          suggestion(word, finding_names()).c_str()));
    for (const auto &finding : findings)
        if (finding.severity == Severity::error &&
            std::none_of(ignored.begin(), ignored.end(),
                         [&](const auto &word) { return word == finding.name || word == "all"; }))
            return &finding;
    return nullptr;
}

std::string Inspection::description() const {
    std::string out = name + "\n";
    const auto line = [&](const char *what, const std::string &value) {
        if (!value.empty())
            out += text("  %-14s%s\n", what, value.c_str());
    };
    const auto *format = gst_tomo_format_to_string(image.format);
    if (is_sinograms) {
        line("sinograms", text("%u of %u columns and %zu projections, %s", image.height, image.width,
                               projections, format));
    } else {
        line("projections", text("%zu of %u x %u, %s", projections, image.width, image.height, format));
        if (views != projections)
            line("of them", text("%zu", views));
        line("flats", flats_after ? text("%zu before, %zu after", flats, flats_after) : text("%zu", flats));
        line("darks", text("%zu", darks));
        if (shifts.is_visible())
            line("shifts", "by " + shifts.range() + " (" + shifts.from + ")");
    }
    line("angles",
         text("%s to %s degrees, step %s%s (%s)", in_degrees(angle_first).c_str(), in_degrees(angle_last).c_str(),
              in_degrees(angle_step).c_str(), steps_are_even ? "" : " on average", angles_from.c_str()));
    for (const auto &height : heights)
        line(&height == heights.data() ? "heights" : "", height_text(height));
    if (heights.empty())
        line("axis", std::isnan(axis) ? "the scan does not tell it" : text("%.6g px", axis));
    line("pixel size", std::isnan(pixel_size) ? "" : text("%.6g um", pixel_size * 1e6));
    line("energy", std::isnan(energy) ? "" : text("%.6g keV", energy));
    line("distance", std::isnan(distance) ? "" : text("%.6g m", distance));
    line("source", std::isnan(source_distance) ? "" : text("%.6g m before the sample", source_distance));
    for (const auto &finding : findings)
        out += text("  %s: %s. %s [%s]\n", finding.severity_name(), finding.text.c_str(),
                    finding.advice.c_str(), finding.name.c_str());
    return out;
}

Json Inspection::json() const {
    Json json = Json::object();
    const auto number = [&](const char *key, double value) {
        if (!std::isnan(value))
            json.set(key, Json::number(value));
    };
    const auto count = [&](const char *key, std::size_t value) {
        json.set(key, Json::integer(static_cast<guint64>(value)));
    };
    json.set("name", Json::text(name));
    json.set("kind", Json::text(is_sinograms ? "sinograms" : "scan"));
    count("width", image.width);
    count("height", image.height);
    json.set("format", Json::text(gst_tomo_format_to_string(image.format)));
    count("projections", projections);
    count("views", views);
    count("darks", darks);
    count("flats", flats);
    count("flats-after", flats_after);
    count("files", files);
    json.set("angles-from", Json::text(angles_from));
    json.set("steps-are-even", Json::boolean(steps_are_even));
    number("angle-first", angle_first);
    number("angle-last", angle_last);
    number("angle-step", angle_step);
    if (const auto rotation = rotation_of(angles); rotation.is_continuous)
        number("turns", rotation.total() / (2.0 * pi));
    number("axis", axis);
    number("pixel-size", pixel_size);
    number("white-level", white_level);
    number("energy", energy);
    number("distance", distance);
    number("source-distance", source_distance);
    if (!heights.empty()) {
        Json scans = Json::list();
        for (const auto &height : heights)
            scans.add(json_of(height));
        json.set("heights", std::move(scans));
    }
    Json list = Json::list();
    for (const auto &finding : findings) {
        Json item = Json::object();
        item.set("name", Json::text(finding.name));
        item.set("severity", Json::text(finding.severity_name()));
        item.set("text", Json::text(finding.text));
        item.set("advice", Json::text(finding.advice));
        list.add(std::move(item));
    }
    json.set("findings", std::move(list));
    json.set("description", Json::text(description()));
    return json;
}

} // namespace tomo::reconstruction
