// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include "general-geometry.hpp"

#include <algorithm>
#include <functional>

namespace tomo {

GeneralGeometry::GeneralGeometry(Element *element)
    : center_x(element, "center-position-x",
               "Column of the axis, in edge coordinates; empty: that of the scan, else the middle"),
      center_z(element, "center-position-z", "Row of z = 0, in edge coordinates; empty: the middle"),
      source_x(element, "source-position-x", "Source across the beam; empty: 0"),
      source_y(element, "source-position-y", Range<double>{-HUGE_VAL, G_MAXDOUBLE}, When::live,
               "Source along the beam, negative; empty or -inf: parallel beam"),
      source_z(element, "source-position-z", "Source along the axis; empty: 0"),
      detector_x(element, "detector-position-x", "Detector across the beam; empty: 0"),
      detector_y(element, "detector-position-y", "Detector along the beam; empty: 0"),
      detector_z(element, "detector-position-z", "Detector along the axis; empty: 0"),
      detector_angle_x(element, "detector-angle-x", "Rotation of the detector about x, in radians; empty: 0"),
      detector_angle_y(element, "detector-angle-y",
                       "Rotation of the detector about y, its roll, in radians; empty: 0"),
      detector_angle_z(element, "detector-angle-z", "Rotation of the detector about z, in radians; empty: 0"),
      axis_angle_x(element, "axis-angle-x",
                   "Tilt of the rotation axis along the beam, in radians, as in laminography; empty: 0"),
      axis_angle_y(element, "axis-angle-y",
                   "Tilt of the rotation axis across the beam, in radians; empty: 0"),
      axis_angle_z(
          element, "axis-angle-z",
          "Angles of the projections, in radians; one value is added to the angles of all; empty: 0"),
      volume_angle_x(element, "volume-angle-x", "Rotation of the volume about x, in radians; empty: 0"),
      volume_angle_y(element, "volume-angle-y", "Rotation of the volume about y, in radians; empty: 0"),
      volume_angle_z(element, "volume-angle-z", "Rotation of the volume about z, in radians; empty: 0") {}

void GeneralGeometry::resolve(const std::optional<Axis> &axis, unsigned rows, unsigned number) {
    const List *const lists[part_count] = {
        &axis_angle_x,   &axis_angle_y,     &axis_angle_z,     &volume_angle_x,   &volume_angle_y,
        &volume_angle_z, &detector_angle_x, &detector_angle_y, &detector_angle_z, &detector_x,
        &detector_y,     &detector_z,       &source_x,         &source_y,         &source_z,
        &center_x,       &center_z,
    };
    arrangements_ = {};
    moves_ = false;
    for (unsigned i = 0; i < part_count; i++) {
        const Part part{static_cast<int>(i)};
        auto values = lists[i]->value();
        if (part != Part::axis_angle_z)
            moves_ |= std::adjacent_find(values.begin(), values.end(), std::not_equal_to()) != values.end();
        arrangements_.set(part, std::move(values));
    }
    if (number)
        arrangements_.check(number);
    centre_origin_ = axis ? axis->origin : Origin::property;
    if (axis)
        arrangements_.set(Part::center_position_x, {axis->position});
    if (!arrangements_.values(Part::center_position_z).is_given())
        arrangements_.set(Part::center_position_z, {rows / 2.0});
}

GivenTurn GeneralGeometry::turn(std::optional<double> overall_angle, std::optional<double> step) const {
    return {PerView(axis_angle_z.name(), axis_angle_z.value()), overall_angle, step};
}

void GeneralGeometry::check_swept(Part part) const {
    const PerView &values = arrangements_.values(part);
    if (part != Part::axis_angle_z && values.is_list())
        throw Error(GST_LIBRARY_ERROR_SETTINGS,
                    text("%s is a list, but the slices of region have other values of it, each for all "
                         "projections: leave the list out, or set parameter to another number",
                         values.name()));
}

Arrangement GeneralGeometry::at(unsigned view, double angle) const {
    Arrangement arrangement = arrangements_.at(view);
    arrangement.axis_angle.z = angle;
    return arrangement;
}

void GeneralGeometry::add_to(EffectiveValues &values) const {
    const auto number = [&](Part part, Origin origin) {
        const PerView &list = arrangements_.values(part);
        if (!list.is_list())
            values.add(list.name(), list.at(0), "pixel", origin);
    };
    number(Part::center_position_x, centre_origin_);
    number(Part::center_position_z, center_z.value().empty() ? Origin::assumed : Origin::property);
    if (arrangements_.values(Part::source_position_y).is_given())
        values.add("magnification", 1.0 / arrangements_.at(0).scale());
}

VolumeGrid::Axis region_axis(const Property<std::vector<double>> &region, const VolumeGrid::Axis &usual) {
    return axis_of_region(region.name(), region.value(), usual);
}

} // namespace tomo
