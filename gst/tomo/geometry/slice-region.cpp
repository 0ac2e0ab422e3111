// gst-tomo: streamed X-ray imaging on GStreamer and OpenCL
// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gst/tomo/geometry/slice-region.hpp>

#include <cmath>

namespace tomo {

Scan scan_of_slices(Scan scan, const ArrayInfo &in, double axis, double axis_in_slice,
                    const SliceRegion &region) {
    // Elements in front did not know that rows are views, and not those of the detector.
    if (in.domain == GST_TOMO_DOMAIN_UNKNOWN) {
        scan.region_y = 0.0;
        scan.binning_y = 1.0;
    }
    const double pixel = std::abs(scan.binning_x);
    scan.region_beam = scan.region_x + axis * scan.binning_x + (region.y - axis_in_slice) * pixel;
    scan.binning_beam = pixel;
    scan.region_x += (region.x + axis - axis_in_slice) * scan.binning_x;
    return scan;
}

} // namespace tomo
