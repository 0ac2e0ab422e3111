// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/line.hpp>
#include <gst/reconstruction/roll.hpp>
#include <gst/reconstruction/view-arrangement.hpp>
#include <gst/tomo/geometry/degrees.hpp>

#include <algorithm>

namespace tomo::reconstruction {

namespace {

bool is_angle(Part part) { return part < Part::detector_position_x; }

} // namespace

ViewArrangement::ViewArrangement(const Settings &settings, const Inspection &scan, double axis)
    : binning_(settings.binning), angles_(scan.angles), has_angles_(scan.has_angles()),
      step_(scan.angle_step) {
    const auto chosen = [&](const char *name, const std::vector<double> &values) {
        if (values.size() <= 1)
            return values;
        if (values.size() != scan.projections)
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                text("%s has %zu numbers; wanted one, or one for each of the %zu projections of the scan",
                     name, values.size(), scan.projections));
        std::vector<double> of_views;
        for (std::size_t i = 0; i < scan.views; i++)
            of_views.push_back(values.at(settings.start + i * settings.step));
        return of_views;
    };
    const auto parameters = settings.general.arrangement();
    const Beam beam = beam_of(settings, scan);
    is_cone_ = beam.is_cone;
    for (std::size_t i = 0; i < part_count; i++) {
        const Part part{static_cast<int>(i)};
        auto values = parameters[i]->value();
        if (is_cone_ && part == Part::source_position_y)
            values = beam.source;
        else if (is_cone_ && part == Part::detector_position_y)
            values = beam.detector;
        else if (part == Part::center_position_x && values.size() <= 1)
            values = {upright_axis(settings, scan, axis)};
        else if (part == Part::center_position_z && values.empty())
            values = {scan.image.height / 2.0};
        for (double &value : values)
            value = in_pixels(part, value);
        of(part) = chosen(parameters[i]->name(), values);
    }
    auto &turn = of(Part::axis_angle_z);
    const double of_all = settings.offset + (turn.size() == 1 ? turn.front() : 0.0);
    if (turn.size() > 1) // which are those of `angles` as well
        for (double &angle : turn)
            angle += settings.offset;
    else
        turn.clear();
    for (double &angle : angles_)
        angle += of_all;
    turned_ = of_all + (has_angles_ ? 0.0 : scan.angle_first);
}

double ViewArrangement::in_pixels(Part part, double value) const {
    return is_angle(part) ? radians(value) : value / binning_;
}

bool ViewArrangement::is_upright() const {
    const auto is_zero = [&](Part part) {
        return std::all_of(of(part).begin(), of(part).end(), [](double angle) { return angle == 0.0; });
    };
    return is_zero(Part::axis_angle_x) && is_zero(Part::axis_angle_y);
}

Arrangement ViewArrangement::at(std::size_t view, std::optional<std::pair<Part, double>> swept) const {
    Arrangement arrangement;
    for (std::size_t i = 0; i < part_count; i++)
        if (const auto &values = numbers_[i]; !values.empty())
            part_of(arrangement, Part{static_cast<int>(i)}) =
                values.size() > 1 ? values.at(view) : values.front();
    arrangement.axis_angle.z = angles_.at(view);
    if (swept) {
        double &value = part_of(arrangement, swept->first);
        value = swept->first == Part::axis_angle_z ? value + swept->second : swept->second;
    }
    return arrangement;
}

std::string ViewArrangement::list(const char *key, Part part, double factor, double offset) const {
    std::string values;
    for (const double value : of(part))
        values += (values.empty() ? "" : ",") + number(value * factor + offset);
    return values.empty() ? "" : launch_property(key, "<" + values + ">");
}

std::string ViewArrangement::words(unsigned first_row, std::optional<Part> left_out) const {
    std::string line;
    for (std::size_t i = 0; i < part_count; i++) {
        const Part part{static_cast<int>(i)};
        if (part != Part::axis_angle_z && part != left_out)
            line += list(name_of(part), part, 1.0,
                         part == Part::center_position_z ? -(first_row / binning_) : 0.0);
    }
    return line;
}

std::string ViewArrangement::turn_of_all() const {
    if (!of(Part::axis_angle_z).empty())
        return list(name_of(Part::axis_angle_z), Part::axis_angle_z);
    return turned_ == 0.0 ? "" : launch_property(name_of(Part::axis_angle_z), "<" + number(turned_) + ">");
}

std::string ViewArrangement::angle_words() const {
    const bool is_stepped = of(Part::axis_angle_z).empty() && !has_angles_ && views() > 1;
    return turn_of_all() + (is_stepped ? property("angle-step", step_) : "");
}

std::string ViewArrangement::turn_words() const {
    const bool is_stepped = of(Part::axis_angle_z).empty() && !has_angles_ && views() > 1;
    return turn_of_all() +
           (is_stepped ? property("overall-angle", step_ * static_cast<double>(views())) : "") +
           property("num-projections", static_cast<unsigned>(views()));
}

} // namespace tomo::reconstruction
