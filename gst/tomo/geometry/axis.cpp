// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/axis.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

std::string Axis::sentence() const {
    const char *where = origin == Origin::property ? property
                        : origin == Origin::scan   ? "from the scan"
                                                   : name_of(origin);
    return text("axis %.6g px (%s)", position, where);
}

std::string Axis::assumption() const {
    if (origin != Origin::assumed)
        return {};
    return text("no axis is known: took the middle of %u columns, %g. Set %s, or put tomocenterofrotation in "
                "front, which finds it",
                columns, position, property);
}

void Axis::check(double margin) const {
    if (position >= -margin && position <= columns + margin)
        return;
    const std::string who = origin == Origin::property ? text("%s=%g: the axis is", property, position)
                                                       : text("the axis of the scan is at %g,", position);
    throw Error(GST_STREAM_ERROR_FORMAT,
                text("%s outside of %u columns; wanted %g to %g. Set %s to where it is", who.c_str(), columns,
                     -margin + 0.0, columns + margin, property));
}

unsigned Axis::column() const { return std::min(static_cast<unsigned>(std::floor(position)), columns - 1); }

Axis resolve_axis(std::optional<double> given, const char *property, const Scan &scan, unsigned columns) {
    if (given)
        return {*given, Origin::property, columns, property};
    if (std::isfinite(scan.axis_position))
        return {scan.axis_position, scan.axis_is_found ? Origin::found : Origin::scan, columns, property};
    return {columns / 2.0, Origin::assumed, columns, property};
}

Columns columns_around(const Axis &axis) {
    const auto edge = static_cast<unsigned>(std::round(axis.position)),
               side = std::min(edge, axis.columns - edge);
    if (side == 0)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("no column lies on one side of the axis at %g of %u columns: set %s to where the "
                         "axis is",
                         axis.position, axis.columns, axis.property));
    return {edge - side, 2 * side};
}

} // namespace tomo
