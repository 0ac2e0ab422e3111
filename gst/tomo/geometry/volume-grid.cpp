// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/volume-grid.hpp>
#include <gst/tomo/support/error.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace tomo {

VolumeGrid::Axis axis_of_region(const char *name, const std::vector<double> &region,
                                const VolumeGrid::Axis &usual) {
    const auto written = [&] {
        std::string list;
        for (const double value : region)
            list += text("%s%g", list.empty() ? "" : ", ", value);
        return text("%s is <%s>; wanted ", name, list.c_str());
    };
    if (region.empty())
        return usual;
    if (region.size() != 3 ||
        !std::all_of(region.begin(), region.end(), [](double v) { return std::isfinite(v); }))
        throw Error(GST_LIBRARY_ERROR_SETTINGS, written() + "three finite numbers: from, to and step");
    const double from = region[0], to = region[1], step = region[2];
    if (step == 0.0)
        return usual;
    // An end that rounding puts behind a step is none.
    const double count = std::ceil((to - from) / step - 1e-9);
    constexpr double most = 1 << 20;
    if (!(count >= 1.0) || count > most)
        throw Error(
            GST_LIBRARY_ERROR_SETTINGS,
            written() +
                text("a step that leads from the first to the second number, in 1 to %.0f steps", most));
    return {from, step, static_cast<unsigned>(count)};
}

} // namespace tomo
