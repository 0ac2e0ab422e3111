// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam-geometry.hpp>
#include <gst/reconstruction/general-volume.hpp>
#include <gst/reconstruction/method.hpp>
#include <gst/reconstruction/off-axis.hpp>
#include <gst/tomo/geometry/degrees.hpp>
#include <gst/tomo/geometry/half-turns.hpp>
#include <gst/tomo/gsttomograph.h>

#include <algorithm>
#include <cmath>

namespace tomo::reconstruction {

namespace {

// As tofu writes the whole of an axis.
bool is_whole(const std::vector<double> &region) { return region == std::vector{0.0, -1.0, 1.0}; }

VolumeGrid::Axis region_of(const Numbers &parameter, const VolumeGrid::Axis &usual) {
    const auto values = parameter.value();
    return is_whole(values) ? usual : axis_of_region(parameter.name(), values, usual);
}

Part part_named(const std::string &name) {
    for (unsigned i = 0; i < part_count; i++)
        if (const Part part{static_cast<int>(i)}; name == name_of(part))
            return part;
    throw Error(GST_RESOURCE_ERROR_SETTINGS, "z-parameter=" + name + " is no number of the geometry");
}

} // namespace

GeneralVolume::GeneralVolume(const Settings &settings, const Inspection &scan, double axis)
    : binning_(settings.binning), columns_(scan.image.width / settings.binning),
      rows_(scan.image.height / settings.binning),
      arrangement_(settings, scan, std::isnan(axis) ? scan.image.width / 2.0 : axis),
      needs_all_rows_(settings.general.padding_mode.value().find("repeat") != std::string::npos) {
    if (scan.is_sinograms)
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            "sinograms are read, and slices of this geometry are made of whole projections: name the scan, "
            "or the projections");
    if (const auto &name = settings.general.z_parameter; !name.is("z"))
        swept_ = part_named(name.value());
    // Of a sweep each slice has its tilt.
    const bool is_swept =
        swept_ == Part::axis_angle_x || settings.sweep.value().rfind("axis-angle-x=", 0) == 0;
    if (settings.general.geometry.is("lamino") && arrangement_.is_upright() && !is_swept)
        throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                    "geometry=lamino wants axis-angle-x, the tilt of the axis along the beam in degrees");
    is_detector_assumed_ = settings.general.source_y.is_given() && !settings.general.detector_y.is_given();
    set_redundancy(settings);
    set_grid(settings);
    set_heights(settings, scan);
    made_ = grid_;
    if (is_iterative(settings))
        set_made(settings);
    check();
}

// Weights are those of a circle about an axis across the beam.
void GeneralVolume::set_redundancy(const Settings &settings) {
    using Mode = RedundantRays::Mode;
    const auto &weight = settings.general.redundancy_weight;
    if (weight.is("none"))
        return;
    const auto a = arrangement_.at(0);
    const Fan fan{a.centre_x, a.is_parallel() ? Arrangement::infinity : a.detector.y - a.source.y, columns_};
    const auto is_one = [&](Part part) { return arrangement_.is_constant(part) && swept_ != part; };
    const bool is_circle = arrangement_.is_upright() && is_one(Part::axis_angle_x) &&
                           is_one(Part::axis_angle_y) && is_one(Part::source_position_y) &&
                           is_one(Part::detector_position_y) && is_one(Part::center_position_x);
    if (weight.is("auto"))
        redundancy_ = is_circle && fan.left() > 0.0 && fan.right() > 0.0
                          ? RedundantRays::mode_for(fan, arrangement_.angles())
                          : Mode::none;
    else if (is_circle)
        redundancy_ = weight.is("offset") ? Mode::offset : Mode::short_scan;
    else
        throw Error(
            GST_RESOURCE_ERROR_SETTINGS,
            text("redundancy-weight=%s is for an axis across the beam, with one source-position-y, "
                 "detector-position-y and center-position-x for all projections and slices; leave it out",
                 weight.value().c_str()));
    is_wide_ = redundancy_ == Mode::offset;
    if (is_iterative(settings)) // which need no weights
        redundancy_ = Mode::none;
}

// Slices lie as those of tomobackproject do, whose rows go against the beam.
void GeneralVolume::set_grid(const Settings &settings) {
    const auto a = arrangement_.at(0);
    double axis = a.centre_x;
    unsigned columns = columns_;
    const bool is_far = std::abs(axis - columns / 2.0) > far_off_axis * columns;
    if (is_wide_ && is_far && axis > 0.0 && axis < columns) {
        const auto field = extended_field(axis, columns);
        columns = field.columns;
        axis += field.left;
    }
    whole_columns_ = columns;
    whole_axis_ = axis;
    radius_ = std::max(std::min(axis, columns - axis), 0.0);
    if (!a.is_parallel())
        radius_ *= std::cos(std::atan(radius_ / (a.detector.y - a.source.y)));
    if (settings.crop_width && settings.crop_width < columns) {
        axis -= (columns - settings.crop_width) / 2;
        columns = settings.crop_width;
    }
    grid_.x = region_of(settings.general.x_region, {0.5 - axis, 1.0, columns});
    grid_.y = region_of(settings.general.y_region, {axis - 0.5, -1.0, columns});
}

void GeneralVolume::set_heights(const Settings &settings, const Inspection &scan) {
    const auto &general = settings.general;
    const bool is_height_given = general.z.is_given();
    if (swept_) {
        height_ = is_height_given ? general.z.value() : 0.0;
        grid_.z = region_of(general.slice_region, {});
        if (!general.slice_region.is_given() || is_whole(general.slice_region.value()))
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("z-parameter=%s wants its values: give region=FROM,TO,STEP",
                             general.z_parameter.value().c_str()));
        if (!arrangement_.is_constant(*swept_) && *swept_ != Part::axis_angle_z)
            throw Error(GST_RESOURCE_ERROR_SETTINGS,
                        text("%s has a number for each projection, and z-parameter another one for each "
                             "slice; leave one of them out",
                             name_of(*swept_)));
        grid_.z.from = arrangement_.in_pixels(*swept_, grid_.z.from);
        grid_.z.step = arrangement_.in_pixels(*swept_, grid_.z.step);
    } else if (is_height_given) {
        grid_.z = {general.z, 1.0, 1};
    } else {
        const Rows rows = scan.rows(settings);
        const double centre = arrangement_.at(0).centre_z,
                     first = (rows.first + binning_ / 2.0) / binning_ - centre;
        grid_.z = region_of(general.slice_region, {first, double(rows.step), rows.count / binning_});
    }
    if (settings.slice.is("middle"))
        grid_ = grid_.planes(grid_.z.count / 2, 1);
}

namespace {

// The same steps, as far as `least` and `most`; `before` are those that come to be before its first one.
VolumeGrid::Axis reaching(const VolumeGrid::Axis &axis, double least, double most, unsigned &before) {
    constexpr double rounding = 1e-6;
    const double begin = axis.step > 0.0 ? least : most, end = axis.step > 0.0 ? most : least;
    const auto steps = [&](double length) {
        return static_cast<unsigned>(std::max(std::ceil(length / axis.step - rounding), 0.0));
    };
    before = steps(axis.from - begin);
    return {axis.at(-static_cast<double>(before)), axis.step,
            axis.count + before + steps(end - axis.at(axis.count - 1.0))};
}

} // namespace

// Along x and y all columns of slices that are not cropped. Along z where the rays of the rows pass them, but
// not in laminography, whose sample is a plate: the user tells its thickness.
void GeneralVolume::set_made(const Settings &settings) {
    const double axis = whole_axis_, last = whole_columns_ - 1.0;
    made_.x = reaching(grid_.x, 0.5 - axis, 0.5 - axis + last, place_.x);
    made_.y = reaching(grid_.y, axis - 0.5 - last, axis - 0.5, place_.y);
    if (is_laminography(settings)) {
        if (settings.y.is_given() || settings.height.is_given())
            throw Error(
                GST_RESOURCE_ERROR_SETTINGS,
                "y and height choose a part of the heights, and iterations about a tilted axis take the "
                "sample to lie within these: leave them out, and give region=FROM,TO,STEP with all of "
                "its thickness");
        return;
    }
    const Rows seen = rows(0, images());
    double least = HUGE_VAL, most = -HUGE_VAL;
    // A volume that lies on its side has no end along z for its rays.
    const double side = std::hypot(made_.x.step * made_.x.count, made_.y.step * made_.y.count),
                 ends[] = {grid_.z.at(0), grid_.z.at(images() - 1.0)},
                 lowest = std::min(ends[0], ends[1]) - side, highest = std::max(ends[0], ends[1]) + side;
    for (std::size_t view = 0; view < arrangement_.views(); view++) {
        const ViewGeometry geometry(arrangement_.at(view), view);
        const auto &r = geometry.row(), &d = geometry.depth();
        const unsigned first = seen.first / binning_, count = seen.count / binning_;
        // Rays of a row lie in a plane, whose farthest heights are those at corners.
        for (const double row : {first + 0.5, first + count - 0.5})
            for (const double x : {made_.x.at(0), made_.x.at(made_.x.count - 1)})
                for (const double y : {made_.y.at(0), made_.y.at(made_.y.count - 1)}) {
                    const double z =
                        (row * d.at({x, y, 0.0}) - r.at({x, y, 0.0})) / (r.factors.z - row * d.factors.z);
                    least = std::min(least, std::max(z, lowest));
                    most = std::max(most, std::min(z, highest));
                }
    }
    made_.z = reaching(grid_.z, least, most, place_.z);
}

// Of impossible geometries, before anything is read.
void GeneralVolume::check() const {
    for (std::size_t view = 0; view < arrangement_.views(); view++)
        for (const unsigned image : {0u, made_.z.count - 1}) {
            const auto swept = swept_ ? std::optional(std::pair(*swept_, made_.z.at(image))) : std::nullopt;
            const double z = swept_ ? height_ : made_.z.at(image);
            ViewGeometry(arrangement_.at(view, swept), view)
                .check_box({made_.x.at(0), made_.y.at(0), z},
                           {made_.x.at(made_.x.count - 1), made_.y.at(made_.y.count - 1), z}, view);
        }
}

Rows GeneralVolume::rows(unsigned first, unsigned count) const {
    if (needs_all_rows_)
        return {0, rows_ * binning_, 1};
    double least = rows_, most = 0.0;
    const auto look = [&](std::size_t view, double z, std::optional<std::pair<Part, double>> swept) {
        const ViewGeometry geometry(arrangement_.at(view, swept), view);
        for (const double x : {made_.x.at(0), made_.x.at(made_.x.count - 1)})
            for (const double y : {made_.y.at(0), made_.y.at(made_.y.count - 1)}) {
                const double row = geometry.row().at({x, y, z}) / geometry.depth().at({x, y, z});
                least = std::min(least, row);
                most = std::max(most, row);
            }
    };
    // The farthest places are those of corners, as straight lines stay straight.
    for (std::size_t view = 0; view < arrangement_.views(); view++)
        if (swept_)
            for (unsigned i = first; i < first + count; i++)
                look(view, height_, std::pair(*swept_, grid_.z.at(i)));
        else
            for (const unsigned i : {first, first + count - 1})
                look(view, grid_.z.at(i), {});
    constexpr double around = 2.0; // rows between which samples lie, and one for rounding
    const auto within = [&](double row) {
        return static_cast<unsigned>(std::clamp(row, 0.0, static_cast<double>(rows_)));
    };
    unsigned from = within(std::floor(least - around)), to = within(std::ceil(most + around));
    if (from >= to) { // the detector does not see them, and they become 0
        from = std::min(from, rows_ - 1);
        to = from + 1;
    }
    // The ramp filter computes rows by twos: those of a part are the twos of the whole detector.
    from -= from % 2;
    to = std::min(to + to % 2, rows_);
    return {from * binning_, (to - from) * binning_, 1};
}

unsigned GeneralVolume::row_of(unsigned image) const {
    const auto swept = swept_ ? std::optional(std::pair(*swept_, grid_.z.at(image))) : std::nullopt;
    const ViewGeometry geometry(arrangement_.at(0, swept));
    const Vector3 middle{0.0, 0.0, swept_ ? height_ : grid_.z.at(image)};
    const double row = geometry.row().at(middle) / geometry.depth().at(middle) * binning_;
    return static_cast<unsigned>(std::clamp(std::floor(row), 0.0, double(rows_ * binning_ - 1)));
}

std::string GeneralVolume::description() const {
    const auto a = arrangement_.at(0);
    std::string said = "a ";
    if (a.is_parallel())
        said += "parallel beam";
    else
        said += text("cone beam from %.6g pixels before the axis, which the detector sees %.4g times larger",
                     -a.source.y * binning_, 1.0 / a.scale());
    if (!a.is_parallel() && is_detector_assumed_)
        said +=
            " (the detector counts as at the axis; --detector-position-y gives its distance behind the axis)";
    if (a.axis_angle.x != 0.0)
        said += text(", and an axis that is tilted by %.4g degrees", degrees(a.axis_angle.x));
    if (is_wide_ && whole_columns_ > columns_ && redundancy_ == RedundantRays::Mode::none)
        return said + "; the axis lies off the middle of the detector, and slices are wider than it";
    const bool is_whole_turn = redundancy_ == RedundantRays::Mode::offset;
    if (redundancy_ == RedundantRays::Mode::none)
        return said;
    return said + (is_whole_turn
                       ? "; the axis lies off the middle of the detector, and rays that come twice in the "
                         "whole turn are weighted (Wang)"
                       : "; rays that come twice in this part of a turn are weighted (Parker)");
}

} // namespace tomo::reconstruction
