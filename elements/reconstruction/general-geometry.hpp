// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/geometry/turn-views.hpp>
#include <gst/tomo/geometry/volume-grid.hpp>

#include <optional>

namespace tomo {

// The properties of an element that say where source, object and detector are, each with one value or with
// one for each projection.
class GeneralGeometry {
    using List = Property<std::vector<double>>;

  public:
    explicit GeneralGeometry(Element *element);

    List center_x, center_z;
    List source_x, source_y, source_z;
    List detector_x, detector_y, detector_z;
    List detector_angle_x, detector_angle_y, detector_angle_z;
    List axis_angle_x, axis_angle_y, axis_angle_z;
    List volume_angle_x, volume_angle_y, volume_angle_z;

    // Puts the lists in force. A column that is not given is `axis`, a row the middle of `rows`. `number` is
    // that of projections, 0 if it is not known. Throws Error for a list of another length.
    void resolve(const std::optional<Axis> &axis, unsigned rows, unsigned number);
    bool has_center_x() const { return !center_x.value().empty(); }

    GivenTurn turn(std::optional<double> overall_angle, std::optional<double> step = {}) const;
    // Whether more than the angle differs between projections.
    bool moves() const { return moves_; }
    // Throws Error where a number that differs between slices differs between projections.
    void check_swept(Part part) const;
    // Of projection `view`, turned by `angle`.
    Arrangement at(unsigned view, double angle) const;
    void add_to(EffectiveValues &values) const;

  private:
    Arrangements arrangements_;
    bool moves_ = false;
    Origin centre_origin_ = Origin::assumed; // of the column
};

// A region from, to, step as an axis; without a step, `usual`. Throws Error for one that can't be.
VolumeGrid::Axis region_axis(const Property<std::vector<double>> &region, const VolumeGrid::Axis &usual);

} // namespace tomo
