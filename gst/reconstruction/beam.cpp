// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/reconstruction/beam.hpp>
#include <gst/tomo/gsttomograph.h>

#include <cmath>

namespace tomo::reconstruction {

bool is_monitor_used(const Settings &settings, const Inspection &scan) {
    if (!scan.is_corrected(settings) || settings.beam.is("none") || settings.flat_correction.is("dynamic"))
        return false;
    // Where it stood still, it changes nothing.
    return settings.beam.is("monitor") || (scan.monitor.is_usable && scan.monitor.change != 0.0);
}

std::optional<AirRegion> air_region(const Settings &settings, const Inspection &scan) {
    if (settings.air.empty())
        return {};
    unsigned values[4];
    const std::string written = settings.air;
    const char *at = written.c_str();
    for (unsigned i = 0; i < 4; i++) {
        char *end = nullptr;
        const auto value = g_ascii_isdigit(*at) ? g_ascii_strtoull(at, &end, 10) : G_MAXUINT64;
        if (value > G_MAXINT || *end != (i < 3 ? ',' : '\0'))
            throw Error(GST_TOMO_GRAPH_ERROR, GST_TOMO_GRAPH_ERROR_VALUE,
                        "air does not take '" + written +
                            "'; wanted X,Y,WIDTH,HEIGHT, whole pixels of the detector");
        values[i] = static_cast<unsigned>(value);
        at = end + 1;
    }
    const AirRegion region{values[0], values[1], values[2], values[3]};
    const auto fits = [](unsigned first, unsigned count, unsigned all) {
        return count > 0 && first < all && count <= all - first;
    };
    if (!fits(region.x, region.width, scan.image.width) || !fits(region.y, region.height, scan.image.height))
        throw Error(GST_RESOURCE_ERROR_SETTINGS,
                    text("air=%s does not lie on the detector, which has %u x %u pixels", written.c_str(),
                         scan.image.width, scan.image.height));
    return region;
}

} // namespace tomo::reconstruction
