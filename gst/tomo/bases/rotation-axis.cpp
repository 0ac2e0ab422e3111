// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/effective.hpp>
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/bases/rotation-axis.hpp>

#include <cmath>
#include <utility>

namespace tomo {

RotationAxis::RotationAxis(Element *owner)
    : owner_(owner),
      given_(owner, "center-of-rotation", Automatic{-1}, {-1.0f, FLT_MAX}, When::reshapes,
             "Rotation axis in edge coordinates (the middle of W columns is W / 2); -1: that of the scan, "
             "else the middle") {}

Axis RotationAxis::for_columns(unsigned columns) const {
    const auto axis = resolve_axis(given_.chosen(), given_.name(), scan_, columns);
    axis.check();
    return axis;
}

void RotationAxis::report(unsigned columns) {
    const auto axis = for_columns(columns);
    owner_->report_effective(EffectiveValues().add(axis));
    if (axis.origin == Origin::assumed && !std::exchange(has_warned_, true))
        owner_->warn(axis.assumption());
}

bool RotationAxis::update_from(GstEvent *scan) {
    const double before = std::exchange(scan_, Scan(scan)).axis_position, now = scan_.axis_position;
    return before != now && !(std::isnan(before) && std::isnan(now));
}

} // namespace tomo
