// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/sweep.hpp>
#include <gst/tomo/graph/names.hpp>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

constexpr std::size_t most_values = 10000;

[[noreturn]] void refuse(const std::string &why) {
    throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE, "sweep: " + why);
}

std::vector<std::string> split(const std::string &text, char separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (true) {
        const auto end = text.find(separator, begin);
        parts.push_back(text.substr(begin, end - begin));
        if (end == std::string::npos)
            return parts;
        begin = end + 1;
    }
}

// FROM:TO:STEP, with TO where the steps meet it.
std::vector<std::string> range_of(const std::string &written) {
    std::vector<double> numbers;
    for (const auto &part : split(written, ':')) {
        char *end = nullptr;
        numbers.push_back(g_ascii_strtod(part.c_str(), &end));
        if (part.empty() || *end || !std::isfinite(numbers.back()))
            refuse("'" + part + "' in '" + written + "' is no number; wanted FROM:TO:STEP");
    }
    if (numbers.size() != 3)
        refuse("'" + written + "' has " + std::to_string(numbers.size()) + " numbers; wanted FROM:TO:STEP");
    const double steps = (numbers[1] - numbers[0]) / numbers[2];
    if (!(steps >= 0.0) || steps >= static_cast<double>(most_values))
        refuse("the steps of '" + written + "' do not lead from its first to its second number");
    std::vector<std::string> values;
    for (std::size_t i = 0; static_cast<double>(i) <= steps + 1e-6; i++)
        values.push_back(text("%.10g", numbers[0] + static_cast<double>(i) * numbers[2]));
    return values;
}

// Whether slices of all values can be made of one look at the scan, and have one size.
bool can_be_swept(const ParameterBase &parameter) {
    const Section *of = parameter.about().section;
    const std::string name = parameter.name();
    if (name == "air") // whose values have commas in them
        return false;
    if (of == &section::geometry) // of which each slice has one number, and all have the same size
        return name != "geometry" && name != "x-region" && name != "y-region" && name != "region" &&
               name != "z-parameter";
    return name == "axis" || name == "axis-index" || name == "offset" || of == &section::correction ||
           of == &section::cleaning || of == &section::phase ||
           (of == &section::reconstruction && name != "crop-width" && name != "sweep");
}

} // namespace

void Sweep::apply(std::size_t number, const Settings &settings, Settings &of_value) const {
    of_value.assign(settings);
    of_value.sweep.reset();
    of_value.slice.set_text("middle");
    if (is_of_axis()) {
        of_value.axis.reset();
        of_value.axis_index.reset();
        of_value.general.center_x.reset();
    }
    of_value.require(name).set_text(values.at(number));
}

std::string Sweep::label(std::size_t number) const {
    const std::string unit = Settings().require(name).about().unit;
    return name + " = " + values.at(number) + (unit.empty() ? "" : " " + unit);
}

std::string Sweep::sharpness_line(const Settings &settings, unsigned columns, const ArrayInfo &slice) const {
    if (!is_of_axis())
        return {};
    // The same circle in all slices: within those that all views see, and not of a few pixels.
    const double middle = columns / 2.0;
    double farthest = 0.0;
    Settings of_value;
    for (std::size_t i = 0; i < values.size(); i++) {
        apply(i, settings, of_value);
        farthest = std::max(farthest, std::abs(of_value.given_axis().value_or(middle) - middle));
    }
    const double seen = (middle - 2.0 * farthest) / settings.binning,
                 side = std::min(slice.width, slice.height);
    return " ! tomomeasuresharpness name=sharpness metric=entropy" +
           property("radius", std::clamp(seen, 0.125 * side, 0.45 * side)) + device_property(settings);
}

std::optional<Sweep> sweep_of(const Settings &settings) {
    const std::string written = settings.sweep;
    if (written.empty())
        return {};
    const auto equals = written.find('=');
    if (equals == std::string::npos || equals + 1 == written.size())
        refuse("'" + written + "' names no values; wanted NAME=FROM:TO:STEP or NAME=VALUE,VALUE,...");
    Sweep sweep;
    sweep.name = written.substr(0, equals);
    const auto *parameter = settings.find(sweep.name);
    if (!parameter)
        refuse("there is no parameter '" + sweep.name + "'" + suggestion(sweep.name, settings.names()));
    if (!can_be_swept(*parameter))
        refuse("slices for several values of '" + sweep.name +
               "' can't be compared; take axis, or a parameter of "
               "correction, cleaning, phase or reconstruction");
    const auto values = written.substr(equals + 1);
    sweep.values = values.find(':') != std::string::npos ? range_of(values) : split(values, ',');
    Settings tried;
    for (std::size_t i = 0; i < sweep.values.size(); i++)
        sweep.apply(i, settings, tried);
    if (!settings.result.is("slices"))
        refuse("slices are made for each value, but the result is " + settings.result.value());
    return sweep;
}

} // namespace tomo::reconstruction
