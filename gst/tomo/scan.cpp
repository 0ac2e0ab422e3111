// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/scan.hpp>

#include <algorithm>
#include <cmath>

namespace tomo {

Scan::Scan(GstEvent *event) {
    guint n = 0;
    const std::unique_ptr<double, Free> list(
        gst_event_parse_tomo_scan(event, &n, &axis_position, &pixel_size));
    angles.assign(list.get(), list.get() + n);
}

EventRef Scan::to_event() const {
    return EventRef(gst_event_new_tomo_scan(angles.data(), angles.size(), axis_position, pixel_size));
}

double axis_in(unsigned width, const char *property, double given, double of_scan) {
    const bool is_given = given >= 0.0, is_known = is_given || std::isfinite(of_scan);
    const double axis = is_given ? given : is_known ? of_scan : width / 2.0;
    if (axis < 0.0 || axis > width)
        throw Error(GST_STREAM_ERROR_FORMAT,
                    text("%s=%g: the axis is at %g%s, outside of %u columns: wanted 0 to %u", property, given,
                         axis, is_given ? "" : " in the scan", width, width));
    return axis;
}

static std::vector<double> angles_of_rows(const std::vector<double> &angles, const Layout &rows) {
    const double last = static_cast<double>(angles.size() - 1);
    std::vector<double> result;
    for (unsigned j = 0; j < rows.size; j++) {
        const double edge = (j + 0.5) / rows.scale + rows.offset;
        if (edge < 0.0 || edge > static_cast<double>(angles.size()))
            return {};
        const double centre = std::clamp(edge - 0.5, 0.0, last);
        const auto before = static_cast<std::size_t>(centre);
        const auto after = std::min(before + 1, angles.size() - 1);
        result.push_back(angles[before] + (centre - before) * (angles[after] - angles[before]));
    }
    return result;
}

EventRef scan_after(const EventRef &event, const ArrayInfo &in, const Layout &columns, const Layout &rows) {
    const bool detector_columns = in.domain == GST_TOMO_DOMAIN_UNKNOWN ||
                                  in.domain == GST_TOMO_DOMAIN_PROJECTION ||
                                  in.domain == GST_TOMO_DOMAIN_SINOGRAM;
    if (!detector_columns)
        return event;
    Scan scan(event.get());
    scan.axis_position = (scan.axis_position - columns.offset) * columns.scale;
    scan.pixel_size /= columns.scale;
    if (in.domain == GST_TOMO_DOMAIN_SINOGRAM && scan.angles.size() == in.height)
        scan.angles = angles_of_rows(scan.angles, rows);
    return scan.to_event();
}

} // namespace tomo
