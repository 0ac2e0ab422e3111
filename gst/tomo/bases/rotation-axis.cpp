// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/bases/element.hpp>
#include <gst/tomo/bases/rotation-axis.hpp>
#include <gst/tomo/geometry/scan.hpp>

#include <cmath>
#include <utility>

namespace tomo {

RotationAxis::RotationAxis(Element *owner)
    : owner_(owner),
      given_(owner, "center-of-rotation", -1.0f, {-1.0f, FLT_MAX}, When::reshapes,
             "Rotation axis in edge coordinates (the middle of W columns is W / 2); -1: that of the scan, "
             "else the middle") {}

double RotationAxis::in(unsigned width) const {
    const bool is_given = given_ >= 0.0f;
    const double axis = is_given ? double{given_} : std::isfinite(of_scan_) ? of_scan_ : width / 2.0;
    if (axis < 0.0 || axis > width)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s=%g: the axis is at %g%s, outside of %u columns: wanted 0 to %u", given_.name(),
                         double{given_}, axis, is_given ? "" : " in the scan", width, width));
    return axis;
}

void RotationAxis::tell(unsigned width) {
    const bool is_given = given_ >= 0.0f, is_known = is_given || std::isfinite(of_scan_);
    const double axis = in(width);
    owner_->report_effective(gst_structure_new("tomo-effective", "axis", G_TYPE_DOUBLE, axis, "axis-units",
                                               G_TYPE_STRING, "pixel", "axis-source", G_TYPE_STRING,
                                               is_given   ? "property"
                                               : is_known ? "scan"
                                                          : "assumed",
                                               nullptr));
    if (!is_known && !std::exchange(has_warned_, true))
        owner_->warn(text(
            "no axis is known: took the middle of %u columns, %g. Set %s, or put tomocenterofrotation in "
            "front, which finds it",
            width, axis, given_.name()));
}

bool RotationAxis::learn(GstEvent *scan) {
    const double before = std::exchange(of_scan_, Scan(scan).axis_position);
    return before != of_scan_ && !(std::isnan(before) && std::isnan(of_scan_));
}

} // namespace tomo
